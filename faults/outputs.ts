import { existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const SAID = "said";
/** Enough for an error and its stack. */
const TAIL_BYTES = 2_000;

export interface Output {
  readonly path: string;
  /** To be closed when the process has it. */
  readonly fd: number;
}

/**
 * Where a process writes all that it says: a file below the trial's folder, so that it is searched for secrets with the
 * rest. Processes of one name share a file.
 */
export function openOutput(folder: string, name = SAID): Output {
  const path = pathOf(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  return { path, fd: openSync(path, "a") };
}

/** All that processes said which write there. */
export function saidIn(folder: string, name = SAID): string {
  const path = pathOf(folder, name);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/** The last that was said: where a process died, mostly why. */
export function tailOf({ path }: Output): string {
  return readFileSync(path).subarray(-TAIL_BYTES).toString();
}

function pathOf(folder: string, name: string): string {
  return join(folder, "outputs", `${name}.txt`);
}

import { mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

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
export function openOutput(folder: string, name = "said"): Output {
  const outputs = join(folder, "outputs");
  mkdirSync(outputs, { recursive: true });
  const path = join(outputs, `${name}.txt`);
  return { path, fd: openSync(path, "a") };
}

/** The last that was said: where a process died, mostly why. */
export function tailOf({ path }: Output): string {
  return readFileSync(path).subarray(-TAIL_BYTES).toString();
}

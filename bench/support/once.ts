import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs one of the programs in `once/` in a process of its own, on this Node: what it printed. */
export async function once<T>(program: string, ...args: readonly string[]): Promise<T> {
  const path = fileURLToPath(new URL(`../once/${program}.js`, import.meta.url));
  const { stdout } = await run(process.execPath, [path, ...args]);
  return JSON.parse(stdout) as T;
}

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the whole workspace, seen from where this file is built to. */
const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** A file of the workspace, by its path in it. */
export function inWorkspace(...path: readonly string[]): string {
  return join(ROOT, ...path);
}

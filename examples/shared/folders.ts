import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made = new Set<string>();

/** A new, empty folder among the system's temporary ones. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "agent-stats-examples-"));
  made.add(folder);
  return folder;
}

/** Removes them all. Whoever writes into them must be gone. */
export function removeFolders(): void {
  for (const folder of made) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  made.clear();
}

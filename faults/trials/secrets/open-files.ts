/** Files that a process has open, also those that have no name any more: SQLite's temporary files never keep one. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { foundIn, type Needle } from "../../oracle/canary.ts";

export interface OpenFiles {
  /** How many regular files were read. */
  readonly files: number;
  readonly hits: readonly string[];
}

/** Reads them as they are now. Nothing where there is no /proc. */
export function searchOpenFiles(pid: number, needles: readonly Needle[], folder: string): OpenFiles {
  const hits: string[] = [];
  let files = 0;
  for (const fd of descriptorsOf(pid)) {
    const path = `/proc/${pid}/fd/${fd}`;
    try {
      // What it was started with is not what it wrote.
      if (!readlinkSync(path).startsWith(folder) || !statSync(path).isFile()) continue;
      files += 1;
      for (const { what } of foundIn(readFileSync(path), needles)) hits.push(what);
    } catch {
      // It was closed meanwhile.
    }
  }
  return { files, hits };
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
}

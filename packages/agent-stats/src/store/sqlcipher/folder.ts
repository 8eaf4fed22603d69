import { closeSync, existsSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { StatsError } from "../errors.ts";

/** Names of files survive a power cut only when their folder was synced. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } catch {
    // Not every system can sync a folder; there the file's own sync is all that can be had.
  } finally {
    closeSync(fd);
  }
}

/** @throws StatsError `STATS_FOLDER_MISSING` */
export function assertFolder(file: string): void {
  if (!existsSync(dirname(file))) {
    throw new StatsError("STATS_FOLDER_MISSING", "The folder of the file does not exist: create it, or name another.");
  }
}

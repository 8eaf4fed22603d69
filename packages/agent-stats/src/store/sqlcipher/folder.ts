import { closeSync, existsSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { StatsError } from "../errors.ts";
import { codeOf, statsErrorOf } from "../sqlite/handle.ts";

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

/** What an error of the file system would be called if SQLite had met it. */
const SQLITE_CODES: ReadonlyMap<string, { readonly code: string }> = new Map([
  ["ENOSPC", { code: "SQLITE_FULL" }],
  ["EDQUOT", { code: "SQLITE_FULL" }],
  ["EACCES", { code: "SQLITE_READONLY" }],
  ["EPERM", { code: "SQLITE_READONLY" }],
  ["EROFS", { code: "SQLITE_READONLY" }],
]);

/** What an error of SQLite, or of the file system, means here. */
export function fileErrorOf(error: unknown): StatsError {
  return statsErrorOf(SQLITE_CODES.get(codeOf(error)) ?? error);
}

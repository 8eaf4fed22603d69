import { existsSync, linkSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf } from "../sqlite/handle.ts";
import { syncFolder } from "./folder.ts";
import { statOf } from "./pages/outside.ts";

/** What is moved aside stands beside the file under its name, this, and when it was moved: `stats.db-aside-20261123T031500Z`. */
const ASIDE = "-aside-";

/** A file and its WAL are one: either alone is another state. */
const PARTS = ["", "-wal"] as const;

/**
 * Gives a database and its WAL another name beside, which nothing has yet. Nothing is overwritten, and nothing of them
 * deleted: at every moment all bytes have the old name, the new one, or both. The WAL's index goes, it can be made again.
 *
 * Only under the lock for creating the file: at its name others could otherwise begin a new one between two steps.
 */
export function setAside(file: string): string {
  const aside = freeName(file);
  const parts = PARTS.filter((part) => statOf(file + part) !== null);
  const linked = parts.every((part) => hasLink(file + part, aside + part));
  // The file goes first: a WAL without its file is seen, and kept, by whoever creates the next one.
  for (const part of parts) {
    if (linked) rmSync(file + part);
    else if (!existsSync(aside + part)) renameSync(file + part, aside + part);
    else rmSync(file + part);
  }
  rmSync(`${file}-shm`, { force: true });
  syncFolder(dirname(file));
  return aside;
}

/** The copies that were moved aside, by the path that each has without `-wal`. */
export function copiesAside(file: string): string[] {
  const prefix = `${basename(file)}${ASIDE}`;
  const names =
    statOf(dirname(file)) === null ? [] : readdirSync(dirname(file)).filter((name) => name.startsWith(prefix));
  const copies = names.map((name) => name.replace(/-(wal|shm|new|creating)$/, ""));
  return [...new Set(copies)].sort().map((name) => join(dirname(file), name));
}

function hasLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOSPC" || codeOf(error) === "EIO") throw error;
    // Not every file system has links: there a name can only be changed.
    return false;
  }
}

/** Names of one second are told apart by a number. */
function freeName(file: string): string {
  const now = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  for (let n = 1; ; n++) {
    const name = `${file}${ASIDE}${now}${n === 1 ? "" : `-${n}`}`;
    if (PARTS.every((part) => statOf(name + part) === null)) return name;
  }
}

import { linkSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { StatsError } from "../errors.ts";
import { codeOf, type SqliteHandle, statsErrorOf } from "../sqlite/handle.ts";
import { lockFile } from "../sqlite/locks.ts";
import { createSchema } from "../sqlite/schema.ts";
import { setAside } from "./aside.ts";
import { BUSY_TIMEOUT_MS, configure, type KeyedFile, openHandle, tryKey } from "./connect.ts";
import type { Driver } from "./drivers.ts";
import { assertFolder, fileErrorOf, syncFolder } from "./folder.ts";
import { statOf } from "./pages/outside.ts";

/** Creates the file where there is none, with the tables and nothing in them. */
export function createFile(driver: Driver, keyed: KeyedFile): void {
  underLock(driver, keyed.file, () => {
    // Whoever held the lock before may have created it.
    if (statOf(keyed.file) !== null) return;
    putAwayOrphans(keyed.file);
    create(driver, keyed, () => {});
  });
}

/**
 * Creates the file and fills it, before it has its name.
 * @throws StatsError `STATS_FILE_EXISTS` where there is one, which is left as it is
 */
export function createFilled(driver: Driver, keyed: KeyedFile, fill: (handle: SqliteHandle) => void): void {
  underLock(driver, keyed.file, () => {
    if (["", "-wal", "-journal"].some((part) => statOf(keyed.file + part) !== null) || !create(driver, keyed, fill)) {
      throw new StatsError(
        "STATS_FILE_EXISTS",
        "There is a file at this path already: name another, it is not changed.",
      );
    }
  });
}

/** Does it while nobody else creates that file or moves it aside. */
export function underLock<T>(driver: Driver, file: string, body: () => T): T {
  assertFolder(file);
  let lock: SqliteHandle | null = null;
  try {
    lock = takeLock(driver, lockOf(file));
    return body();
  } catch (error) {
    throw fileErrorOf(error);
  } finally {
    if (lock) {
      rmSync(lockOf(file), { force: true });
      lock.close();
    }
  }
}

const lockOf = (file: string) => `${file}-creating`;

/** A lock that was waited for may be on a file that whoever held it has removed: it then keeps nobody out. */
function takeLock(driver: Driver, path: string): SqliteHandle {
  for (const until = Date.now() + BUSY_TIMEOUT_MS; Date.now() < until; ) {
    let opened: number | undefined;
    const open = () => {
      const handle = openHandle(driver, path);
      handle.exec("PRAGMA journal_mode = MEMORY");
      opened = statOf(path)?.ino;
      return handle;
    };
    const lock = lockFile(path, open, BUSY_TIMEOUT_MS);
    if (lock === null) break;
    if (opened !== undefined && statOf(path)?.ino === opened) return lock;
    lock.close();
  }
  throw statsErrorOf({ code: "SQLITE_BUSY" });
}

/**
 * Creates the file whole: under another name, then linked to its own. So a file that is empty or half made is never
 * left at its name by this library, and one that is found there is somebody's loss, not a beginning.
 */
function create(driver: Driver, { file, keyLiteral }: KeyedFile, fill: (handle: SqliteHandle) => void): boolean {
  const draft = `${file}-new`;
  try {
    removeDatabase(draft);
    const handle = tryKey(driver, { file: draft, keyLiteral });
    try {
      configure(handle, "write");
      createSchema(handle, "main");
      fill(handle);
      // Closing moves the WAL into the file too, and says nothing where that fails: half a file would be put in place.
      handle.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      handle.close();
    }
    return hasPutInPlace(draft, file);
  } catch (error) {
    // What is only being made cannot be damaged: it is the disk that did not read it.
    throw /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error)) ? statsErrorOf({ code: "SQLITE_IOERR" }) : error;
  } finally {
    removeDatabase(draft);
  }
}

/**
 * A WAL whose file was removed would be taken for that of the next one, which its pages would destroy. It may still be
 * all that is left of the numbers, so it keeps its bytes under another name.
 */
function putAwayOrphans(file: string): void {
  const wal = statOf(`${file}-wal`);
  if (wal !== null && wal.size > 0) setAside(file);
  for (const part of ["-wal", "-shm"]) rmSync(file + part, { force: true });
}

/** A link never replaces a file that is there; where the file system has none, renaming must do. False if there is one. */
function hasPutInPlace(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    if (codeOf(error) === "ENOSPC" || codeOf(error) === "EIO") throw error;
    renameSync(draft, file);
  }
  syncFolder(dirname(file));
  return true;
}

function removeDatabase(path: string): void {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
}

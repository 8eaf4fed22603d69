import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { StatsError } from "../errors.ts";
import { codeOf, type OpenDatabase, type SqliteHandle, statsErrorOf } from "../sqlite/handle.ts";
import { fileLocks, lockFile } from "../sqlite/locks.ts";
import { assertKnownSchema, createSchema, schemaVersion } from "../sqlite/schema.ts";
import type { Driver } from "./drivers.ts";

/** How long a writer waits for another one, blocking its own thread only. */
const BUSY_TIMEOUT_MS = 5_000;
/** SQLCipher 4 writes whole pages of this size. */
const PAGE_BYTES = 4_096;

export interface FileOptions {
  readonly file: string;
  /** As `PRAGMA key` takes it. */
  readonly keyLiteral: string;
  readonly mode: "write" | "read";
}

/**
 * Opens the file of the statistics, or creates it where there is none and it may be written.
 *
 * The file is never read but through SQLite: closing any other descriptor of it would free, by POSIX rules, every lock
 * that this process holds on it.
 *
 * @throws StatsError with the code for what is wrong; the file is then as it was
 */
export function openFile(driver: Driver, options: FileOptions): OpenDatabase {
  const { file, mode } = options;
  if (statOf(file) === null) {
    if (mode === "read") throw missing();
    createFile(driver, options);
  }
  assertIsFile(statOf(file));
  if (mode === "write") assertMayWrite(file);
  const handle = unlock(driver, options);
  try {
    const version = schemaVersion(handle, "main");
    assertKnownSchema(version);
    if (mode === "read" && version === 0) throw missing();
    configure(handle, mode);
    if (mode === "write") createSchema(handle, "main");
  } catch (error) {
    handle.close();
    throw statsErrorOf(error);
  }
  const opened = statOf(file);
  return {
    handle,
    schema: "main",
    locks: fileLocks(file, driver.open),
    ownFile: true,
    assertInPlace() {
      const now = statOf(file);
      if (now?.ino !== opened?.ino || now?.dev !== opened?.dev) {
        throw new StatsError(
          "STATS_MOVED",
          "The file of the statistics was moved, replaced or removed while it was open: it is opened anew; counts in memory are kept.",
        );
      }
    },
    close: () => handle.close(),
  };
}

/** A connection that has proved that the key fits. */
function unlock(driver: Driver, options: FileOptions): SqliteHandle {
  try {
    return tryKey(driver, options);
  } catch (error) {
    if (!mayBeMisread(error)) throw statsErrorOf(error);
  }
  // A disk that failed to read for a moment looks the same: look again before saying so.
  try {
    return tryKey(driver, options);
  } catch (error) {
    // Damage is only called so where the first page was read: then the key fits.
    throw codeOf(error).startsWith("SQLITE_NOTADB") ? rejected(driver, options.file) : statsErrorOf(error);
  }
}

function tryKey(driver: Driver, { file, keyLiteral }: Omit<FileOptions, "mode">): SqliteHandle {
  const handle = openHandle(driver, file);
  try {
    handle.exec(`${driver.beforeKey}; PRAGMA key = ${keyLiteral}`);
    handle.prepare("SELECT COUNT(*) AS n FROM sqlite_schema").get([]);
    return handle;
  } catch (error) {
    handle.close();
    throw error;
  }
}

function openHandle(driver: Driver, path: string): SqliteHandle {
  try {
    const handle = driver.open(path);
    handle.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return handle;
  } catch {
    throw statsErrorOf({ code: "SQLITE_CANTOPEN" });
  }
}

/** Tells what can be told of a file that the key does not open. */
function rejected(driver: Driver, file: string): StatsError {
  if (isPlaintext(driver, file)) {
    return new StatsError(
      "STATS_NOT_ENCRYPTED",
      "The file is a SQLite database without encryption: name another file; this one was not changed.",
    );
  }
  const stat = statOf(file);
  if (stat !== null && stat.size % PAGE_BYTES !== 0) {
    return new StatsError(
      "STATS_NOT_A_DATABASE",
      "The file is of another kind, or was cut off: name another file, or move this one aside; it was not changed.",
    );
  }
  return new StatsError(
    "STATS_KEY_REJECTED",
    "The key does not open this file: it is another key, or the file is damaged or of another kind; it was not changed.",
  );
}

function isPlaintext(driver: Driver, file: string): boolean {
  const handle = openHandle(driver, file);
  try {
    handle.prepare("SELECT COUNT(*) AS n FROM sqlite_schema").get([]);
    return true;
  } catch {
    return false;
  } finally {
    handle.close();
  }
}

/** Sets what the promises rest on, and reads each back: a pragma that SQLite does not know is silently ignored. */
function configure(handle: SqliteHandle, mode: FileOptions["mode"]): void {
  const set = (name: string, value: string, expected: string | number) => {
    handle.exec(`PRAGMA ${name} = ${value}`);
    const row = handle.prepare(`PRAGMA ${name}`).get([]) as Record<string, unknown>;
    if (Object.values(row)[0] !== expected) {
      throw new StatsError("STATS_STORE_FAILED", `SQLite did not take the setting ${name}: use a driver that has it.`);
    }
  };
  // Temporary files would hold names in plaintext.
  set("temp_store", "MEMORY", 2);
  if (mode === "read") {
    set("query_only", "ON", 1);
    return;
  }
  set("journal_mode", "WAL", "wal");
  // With less than FULL, a power cut loses commits that were acknowledged.
  set("synchronous", "FULL", 2);
  set("secure_delete", "ON", 1);
}

/**
 * Creates the file whole: under another name, then linked to its own. So a file that is empty or half made is never
 * left at its name by this library, and one that is found there is somebody's loss, not a beginning.
 */
function createFile(driver: Driver, { file, keyLiteral }: FileOptions): void {
  assertFolder(file);
  const lockPath = `${file}-creating`;
  const draft = `${file}-new`;
  let lock: SqliteHandle | null = null;
  try {
    lock = lockFile(lockPath, (path) => openHandle(driver, path), BUSY_TIMEOUT_MS);
    if (lock === null) throw statsErrorOf({ code: "SQLITE_BUSY" });
    // Whoever held the lock before may have created it.
    if (statOf(file) !== null) return;
    removeDatabase(draft);
    const handle = tryKey(driver, { file: draft, keyLiteral });
    try {
      configure(handle, "write");
      createSchema(handle, "main");
    } finally {
      handle.close();
    }
    putInPlace(draft, file);
  } catch (error) {
    throw error instanceof StatsError ? error : statsErrorOf(FILE_CODES.get(codeOf(error)) ?? error);
  } finally {
    removeDatabase(draft);
    if (lock) {
      rmSync(lockPath, { force: true });
      lock.close();
    }
  }
}

const FILE_CODES: ReadonlyMap<string, { readonly code: string }> = new Map([
  ["ENOSPC", { code: "SQLITE_FULL" }],
  ["EDQUOT", { code: "SQLITE_FULL" }],
  ["EACCES", { code: "SQLITE_READONLY" }],
  ["EPERM", { code: "SQLITE_READONLY" }],
  ["EROFS", { code: "SQLITE_READONLY" }],
]);

/** A link never replaces a file that is there; where the file system has none, renaming must do. */
function putInPlace(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    renameSync(draft, file);
  }
  const folder = openSync(dirname(file), "r");
  try {
    fsyncSync(folder);
  } catch {
    // Not every system can sync a folder; there the file's own sync is all that can be had.
  } finally {
    closeSync(folder);
  }
}

function removeDatabase(path: string): void {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw statsErrorOf({ code: "SQLITE_CANTOPEN" });
  }
}

function assertIsFile(stat: Stats | null): void {
  if (stat === null) throw missing();
  if (!stat.isFile()) {
    throw new StatsError("STATS_IS_A_FOLDER", "The path leads to a folder: name a file in it.");
  }
  if (stat.size === 0) {
    throw new StatsError(
      "STATS_EMPTY_FILE",
      "The file is empty: another program emptied or made it; restore it, or remove it to begin anew.",
    );
  }
}

/**
 * Asked before SQLite opens it: of a file that may not be written, reading alone leaves a WAL that may not be written
 * either, so that nothing could be saved when the file's own mode is restored.
 */
function assertMayWrite(file: string): void {
  try {
    accessSync(file, constants.W_OK);
  } catch {
    throw statsErrorOf({ code: "SQLITE_READONLY" });
  }
}

function assertFolder(file: string): void {
  if (!existsSync(dirname(file))) {
    throw new StatsError("STATS_FOLDER_MISSING", "The folder of the file does not exist: create it, or name another.");
  }
}

function missing(): StatsError {
  return new StatsError("STATS_MISSING", "There are no statistics at this path: name the file that the app writes.");
}

function mayBeMisread(error: unknown): boolean {
  return /^SQLITE_(NOTADB|CORRUPT)/.test(codeOf(error));
}

import { accessSync, constants, type Stats } from "node:fs";
import { StatsError } from "../errors.ts";
import { codeOf, type OpenDatabase, type SqliteHandle, statsErrorOf } from "../sqlite/handle.ts";
import { fileLocks } from "../sqlite/locks.ts";
import { assertKnownSchema, createSchema, schemaVersion } from "../sqlite/schema.ts";
import { configure, type KeyedFile, openHandle, tryKey } from "./connect.ts";
import { createFile } from "./create.ts";
import type { Driver } from "./drivers.ts";
import { isWholeOutside, knowsItsLog, lookFirst, saltOf } from "./look-first.ts";
import { PAGE_BYTES } from "./pages/cipher.ts";
import { sleep } from "./pages/image.ts";
import { statOf } from "./pages/outside.ts";
import { stampOf } from "./pages/stamp.ts";
import { isLeftAlone, openSnapshot } from "./snapshot.ts";

/** For how long, and how often, a log is read that SQLite does not know all of: the first commit may wait for the disk. */
const LOOKS_FOR_MS = 1_000;
const BETWEEN_LOOKS_MS = 20;

export interface FileOptions extends KeyedFile {
  readonly mode: "write" | "read";
}

export interface OpenFile extends OpenDatabase {
  /** The moment that is read, where it is not the file itself that is open; else null. */
  readonly ofMoment: string | null;
}

/**
 * Opens the file of the statistics, or creates it where there is none and it may be written.
 *
 * The file is never read but through SQLite: closing any other descriptor of it would free, by POSIX rules, every lock
 * that this process holds on it.
 *
 * @throws StatsError with the code for what is wrong; the file is then as it was
 */
export function openFile(driver: Driver, options: FileOptions): OpenFile {
  const { file, mode } = options;
  if (statOf(file) === null) {
    if (mode === "read") throw missing();
    createFile(driver, options);
  }
  // Before it is opened: what comes in its place meanwhile is not to be taken for it.
  const opened = statOf(file);
  assertIsFile(opened);
  const isInPlace = () => isSameFile(opened, statOf(file));
  if (mode === "write") assertMayWrite(file);
  const isWhole = lookFirst(options);
  const { handle, ofMoment } =
    mode === "read"
      ? openToRead(driver, options, isWhole)
      : { handle: unlock(driver, options, isWhole), ofMoment: null };
  try {
    // The log that it found may be that of another file: nothing is written, not even moved from the one to the other.
    if (!isInPlace()) throw moved();
    if (mode === "write" && !isWhole) readAll(handle);
    const version = schemaVersion(handle, "main");
    assertKnownSchema(version);
    if (mode === "read" && version === 0) throw missing();
    configure(handle, mode);
    if (mode === "write") createSchema(handle, "main");
  } catch (error) {
    handle.close();
    throw meaningOf(error, options, isWhole);
  }
  return {
    handle,
    schema: "main",
    locks: fileLocks(file, driver.open),
    ownFile: true,
    ...(mode === "write" && { assertReadable: () => assertReadable(handle, options) }),
    ofMoment,
    assertInPlace() {
      if (isInPlace()) return;
      emptyLog(handle);
      throw moved();
    },
    close: () => handle.close(),
  };
}

/**
 * Moves the log into its own file, wherever that is now: it would keep its name when the file has lost it, so that what
 * was acknowledged would be missing from the file, and SQLite would take the log for that of whatever comes in its place.
 */
function emptyLog(handle: SqliteHandle): void {
  try {
    handle.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Somebody reads, or the disk is gone with the file: there is nothing better to be done.
  }
}

/** The file itself, or where SQLite would have to change something in order to read it, a moment of it. */
function openToRead(driver: Driver, options: FileOptions, isWhole: boolean): Pick<OpenFile, "handle" | "ofMoment"> {
  const ofMoment = stampOf(options.file);
  if (isLeftAlone(driver, options.file)) return { handle: openSnapshot(driver, options), ofMoment };
  try {
    return { handle: unlock(driver, options, isWhole), ofMoment: null };
  } catch (error) {
    if (codeOf(error) !== "STATS_READ_ONLY") throw error;
    try {
      return { handle: openSnapshot(driver, options), ofMoment };
    } catch (other) {
      // Not even its bytes can be read: that is what has to be told.
      throw codeOf(other) === "STATS_STORE_FAILED" ? error : other;
    }
  }
}

/** A connection that has proved that the key fits, and knows all of the log. */
function unlock(driver: Driver, options: FileOptions, isWhole: boolean): SqliteHandle {
  const { openToRead } = driver;
  if (!isWhole || !openToRead) return unlockOnce(driver, options, isWhole);
  for (const until = performance.now() + LOOKS_FOR_MS; performance.now() < until; ) {
    const first = unlockOnce({ ...driver, open: openToRead }, options, isWhole);
    try {
      if (knowsItsLog(options.file)) return unlockOnce(driver, options, isWhole);
    } finally {
      first.close();
    }
    // SQLite reads it anew when nobody else has it open, as others do who look at the same time.
    sleep(BETWEEN_LOOKS_MS * (1 + Math.random()));
  }
  throw statsErrorOf({ code: "SQLITE_IOERR" });
}

function unlockOnce(driver: Driver, options: FileOptions, isWhole: boolean): SqliteHandle {
  try {
    return tryKey(driver, options);
  } catch (error) {
    if (!mayBeMisread(error)) throw statsErrorOf(error);
  }
  // A disk that failed to read for a moment looks the same, and so does a salt that was torn: look again before saying so.
  try {
    return tryKey(driver, options, isWhole ? saltOf(options) : null);
  } catch (error) {
    if (isMisread(error, options, isWhole)) throw statsErrorOf({ code: "SQLITE_IOERR" });
    // Damage is only called so where the first page was read: then the key fits.
    throw codeOf(error).startsWith("SQLITE_NOTADB") ? rejected(driver, options.file) : statsErrorOf(error);
  }
}

/** The same of a connection that has worked until now. */
function assertReadable(handle: SqliteHandle, options: FileOptions): void {
  try {
    readAll(handle);
  } catch (error) {
    throw meaningOf(error, options, false);
  }
}

/** Reads every page before the first is written: of a damaged file nothing is changed, not even what is still whole. */
function readAll(handle: SqliteHandle): void {
  const row = handle.prepare("PRAGMA quick_check(1)").get([]) as { quick_check: string };
  if (row.quick_check === "ok") return;
  const failed = /error code=(\d+)/.exec(row.quick_check)?.[1];
  // A page that makes no sense was read.
  if (failed === undefined) throw statsErrorOf({ code: "SQLITE_CORRUPT" });
  // One that could not be had may be damaged, or not have been read: 10 is SQLite's code for that, where the driver tells.
  const code = (Number(failed) & 0xff) === 10 ? "SQLITE_IOERR" : "SQLITE_CORRUPT";
  throw Object.assign(new Error("a page could not be had"), { code });
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
  if (stat !== null && stat.size % PAGE_BYTES !== 0) return notADatabase();
  return new StatsError(
    "STATS_KEY_REJECTED",
    "The key does not open this file: it is another key, or the file is damaged or of another kind; it was not changed.",
  );
}

function notADatabase(): StatsError {
  return new StatsError(
    "STATS_NOT_A_DATABASE",
    "The file is of another kind, or was cut off: name another file, or move this one aside; it was not changed.",
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
  // SQLite takes a file of one byte for a new one, removes its WAL, and writes over it.
  if (stat.size === 1) throw notADatabase();
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

function isSameFile(one: Stats | null, other: Stats | null): boolean {
  return one?.ino === other?.ino && one?.dev === other?.dev;
}

function moved(): StatsError {
  return new StatsError(
    "STATS_MOVED",
    "The file of the statistics was moved, replaced or removed while it was open: it is opened anew; counts in memory are kept.",
  );
}

function missing(): StatsError {
  return new StatsError("STATS_MISSING", "There are no statistics at this path: name the file that the app writes.");
}

/** What an error of a connection means: that of a disk that did not read may be called damage, or another key. */
function meaningOf(error: unknown, options: FileOptions, isWhole: boolean): StatsError {
  return statsErrorOf(isMisread(error, options, isWhole) ? { code: "SQLITE_IOERR" } : error);
}

/**
 * Whether it is the disk that did not read a page: every page is as it was written. What the disk does not read to
 * better-sqlite3-multiple-ciphers, that calls a file of another key, for as long as the disk fails.
 */
function isMisread(error: unknown, options: FileOptions, isWhole: boolean): boolean {
  return mayBeMisread(error) && (isWhole || isWholeOutside(options));
}

function mayBeMisread(error: unknown): boolean {
  return /^SQLITE_(NOTADB|CORRUPT)/.test(codeOf(error));
}

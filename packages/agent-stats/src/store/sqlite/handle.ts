import { StatsError, type StatsErrorCode } from "../errors.ts";

/** A value as SQLite gives it. Whole numbers arrive as `number`: none here is above 2^53−1. */
export type SqlValue = string | number | Uint8Array | null;

/**
 * The few methods that are used of a SQLite driver. better-sqlite3, its relatives and @signalapp/sqlcipher have them as
 * they are, so nothing here depends on one driver's types.
 */
export interface SqliteHandle {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

export interface SqliteStatement {
  run(params: readonly SqlValue[]): { readonly changes: number };
  get(params: readonly SqlValue[]): unknown;
  all(params: readonly SqlValue[]): unknown[];
}

/** A database that was opened and checked, and what belongs to it. */
export interface OpenDatabase {
  readonly handle: SqliteHandle;
  /** The name of the file within the handle: `main`, or that under which it is attached. */
  readonly schema: string;
  readonly locks: SessionLocks;
  /** True when this library owns the file, so that it may VACUUM it. */
  readonly ownFile: boolean;
  /** Reads every page, and tells damage from a disk that failed to read. Where it is missing, the driver is believed. */
  assertReadable?(): void;
  /** @throws StatsError `STATS_MOVED` when the path no longer leads to the file that is open */
  assertInPlace(): void;
  close(): void;
}

/** Locks that the operating system frees when their holder dies, whatever way it dies. */
export interface SessionLocks {
  /** Takes the lock of a session, if nobody holds it. True when it is held now. */
  take(session: number): boolean;
  /** True when anybody holds it, this process included. */
  isHeld(session: number): boolean;
  /** Frees the lock and removes what it left behind. */
  remove(session: number): void;
  /** Frees every lock that is held here. */
  removeAll(): void;
}

/** Runs `body` in one transaction that is a writer from its first moment, so that it never fails half way for a lock. */
export function immediately<T>(handle: SqliteHandle, body: () => T): T {
  begin(handle, "BEGIN IMMEDIATE");
  try {
    const result = body();
    handle.exec("COMMIT");
    return result;
  } catch (error) {
    rollBack(handle, "ROLLBACK");
    throw error;
  }
}

function rollBack(handle: SqliteHandle, sql: string): void {
  try {
    handle.exec(sql);
  } catch {
    // SQLite has rolled back by itself: after a full disk or an I/O error there is no transaction left.
  }
}

/** Runs `body` so that it does everything or nothing, within a transaction of the host's or without one. */
export function wholly<T>(handle: SqliteHandle, body: () => T): T {
  handle.exec("SAVEPOINT agent_stats");
  try {
    const result = body();
    handle.exec("RELEASE agent_stats");
    return result;
  } catch (error) {
    rollBack(handle, "ROLLBACK TO agent_stats; RELEASE agent_stats");
    throw error;
  }
}

/** Several reads at one moment; within a transaction of the host's, which may yet be taken back, they are that already. */
export function atOneMoment<T>(handle: SqliteHandle, body: (isWithinHosts: boolean) => T): T {
  try {
    begin(handle, "BEGIN");
  } catch (error) {
    if (!codeOf(error).startsWith("SQLITE_BUSY")) throw error;
    return body(true);
  }
  try {
    return body(false);
  } finally {
    handle.exec("COMMIT");
  }
}

/** Beginning fails with a plain error where the host is within a transaction of its own: that is waited for. */
function begin(handle: SqliteHandle, sql: string): void {
  try {
    handle.exec(sql);
  } catch (error) {
    throw codeOf(error) === "SQLITE_ERROR" ? Object.assign(new Error("nested"), { code: "SQLITE_BUSY" }) : error;
  }
}

const SENTENCES: readonly (readonly [prefix: string, StatsErrorCode, string])[] = [
  [
    "SQLITE_FULL",
    "STATS_DISK_FULL",
    "The disk is full: make room; nothing that was saved is lost, and saving resumes by itself.",
  ],
  // The index of the WAL could not grow: the same cause.
  [
    "SQLITE_IOERR_SHMSIZE",
    "STATS_DISK_FULL",
    "The disk is full: make room; nothing that was saved is lost, and saving resumes by itself.",
  ],
  ["SQLITE_BUSY", "STATS_BUSY", "Someone else is writing to the database for long: it is tried again by itself."],
  ["SQLITE_LOCKED", "STATS_BUSY", "Someone else is writing to the database for long: it is tried again by itself."],
  [
    "SQLITE_READONLY",
    "STATS_READ_ONLY",
    "The statistics cannot be written: give this user the right to write the file and its folder.",
  ],
  [
    "SQLITE_PERM",
    "STATS_READ_ONLY",
    "The statistics cannot be written: give this user the right to write the file and its folder.",
  ],
  [
    "SQLITE_CANTOPEN",
    "STATS_READ_ONLY",
    "The file cannot be opened: give this user the right to write the file and its folder.",
  ],
  [
    "SQLITE_CORRUPT",
    "STATS_DAMAGED",
    "The file of the statistics is damaged: move it aside to begin anew; it was not changed.",
  ],
  [
    "SQLITE_NOTADB",
    "STATS_DAMAGED",
    "The file of the statistics is damaged: move it aside to begin anew; it was not changed.",
  ],
];

/** What a driver's error means here. Errors of this library pass as they are. */
export function statsErrorOf(error: unknown): StatsError {
  if (error instanceof StatsError) return error;
  const sqlite = codeOf(error);
  const known = SENTENCES.find(([prefix]) => sqlite.startsWith(prefix));
  const [, code, sentence] = known ?? [
    "",
    "STATS_STORE_FAILED" as const,
    "The database failed: it is tried again by itself.",
  ];
  return new StatsError(code, sentence, { cause: causeOf(error) });
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** The part of an error that may be shown: its code. Messages of drivers and of the file system can name paths. */
function causeOf(error: unknown): { readonly code: string } {
  return { code: codeOf(error) || (error instanceof Error ? error.name : "unknown") };
}

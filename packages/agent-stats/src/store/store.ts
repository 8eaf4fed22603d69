import type { Scope } from "../record/scope.ts";
import type { AuditRow, Doer, NewReportKey, ReportKey } from "./audit.ts";
import type { CountedRow, HourRow, KeySums, SessionSumRow } from "./rows.ts";

export type { AuditRow, Doer, NewReportKey, ReportKey, ScopeKind } from "./audit.ts";
export type { CountedRow, Counters, HourRow, KeyRow, KeySums, SessionSumRow } from "./rows.ts";

/**
 * The port between the keeper and a database. Whoever implements it promises, and `contract.ts` checks:
 *
 * - **Durable when resolved.** What a call did survives `kill -9` and a power cut once it has resolved.
 * - **All or nothing.** A call that failed, or whose process died, did everything or nothing. The caller need not know
 *   which: repeating it is harmless.
 * - **Exact with any number of writers.** Several processes and threads may call at once. A session is folded once.
 * - **Nothing is overwritten that could not be read.** A wrong key, damage or a newer schema is a `StatsError`, and the
 *   bytes stay as they were.
 * - **Lazy.** The database is opened by the first call and, after a failure, by the next: a store recovers by itself.
 */
export interface StoreCalls {
  /**
   * Registers a session and takes the lock that tells others that it lives. Asked again in the same words before that
   * session has saved, it is the same session.
   */
  begin(session: NewSession): BegunSession;
  /** Writes what a session counted. Absolute values: a batch that is saved twice changes nothing. */
  save(batch: SaveBatch): SaveResult;
  /** Adds every ended or dead session that is not yet folded into the past, each exactly once. Returns how many. */
  fold(by?: Doer): number;
  /** Deletes a user everywhere and leaves a tombstone for older sessions, then erases what deletion leaves in files. */
  deleteUser(userId: string, totals: Totals, by: Clearer): Cleared & { readonly erased: Erased };
  /**
   * Which of these users were deleted since the caller's `seen`. Sessions that may write are told by `clears`; one that
   * was taken for dead, and is not, asks.
   */
  deletedAmong(users: readonly string[], seen: number): string[];
  /** Deletes counts, history and keys within the scope. Without a scope `trackedSince` moves to `by.at`. */
  reset(scope: Scope, by: Clearer): Cleared;
  /** Deletes history of before that hour. No sum changes. */
  prune(beforeHour: number): void;
  /** Tries again what `erased: "pending"` left undone. */
  erase(): Erased;
  /** All sums, without the session of the caller, who has its numbers in memory, and all sessions: at one moment. */
  sums(caller: Caller | null): Sums;
  /** Every session that history still holds, oldest first. */
  sessions(): SessionRow[];
  /** What each session counted, as far as history holds it. */
  sessionSums(): SessionSumRow[];
  /** What the sessions of one agent elsewhere counted in all, as far as history holds it. */
  counted(agent: string): CountedRow[];
  /**
   * What was counted by hour, `from` to `to` (hours since 1970, both included), session by session: where sessions
   * overlap, a key has several rows of one hour.
   */
  hours(from: number, to: number): HourRow[];
  /** Who folded, deleted and reset what, as far as history holds it, oldest first. */
  audit(): AuditRow[];
  /** Keeps the key with which a report's pseudonyms were made, so that a later one can use the same. Returns its number. */
  addReportKey(report: NewReportKey): number;
  /** The keys of all reports, oldest first. */
  reportKeys(): ReportKey[];
  /** Releases the database and the session's lock. Later calls open it again. */
  close(): void;
}

/** What a store is to the keeper: every call as a promise, and the same at once for a process that is ending. */
export type StatsStore = {
  readonly [M in keyof StoreCalls]: (...args: Parameters<StoreCalls[M]>) => Promise<ReturnType<StoreCalls[M]>>;
} & {
  /** The same calls, blocking. Absent where the database can only be waited for. */
  readonly now?: StoreCalls;
  /** How many cells a batch may have. Absent: any number. */
  readonly largestBatch?: number;
  /** Has `onCleared` called when something was cleared behind the keeper's back. */
  listen?(onCleared: () => void): void;
  /**
   * Hears what is about to be counted, in memory that its own thread can read: when no save has come in the time that
   * was announced, it saves by itself. No batch brings a key that was announced. False where it does not know the rows
   * that were announced before: say them anew.
   */
  announce?(news: Announcement): boolean;
};

/** The half of a store that only reads. What only shows is given this. */
export type StatsReader = Pick<
  StatsStore,
  "sums" | "sessions" | "sessionSums" | "hours" | "audit" | "reportKeys" | "close"
>;

export interface NewSession {
  /** When it began, ms since 1970. */
  readonly startedAt: number;
  readonly flushEveryMs: number;
  /** The last clear this process knows of, when it goes on after its session was closed by another; else null. */
  readonly seen: number | null;
}

export interface BegunSession {
  readonly session: number;
  /** The last clear at this moment: the session need not hear of earlier ones. */
  readonly seen: number;
}

/**
 * How a session ended. `clock`: the clock was set back; `agent`: the agent elsewhere was started again; after both the
 * host went on with another session. `killed` is what others find; the session itself could not say it.
 */
export type Ending =
  | "close"
  | "exit"
  | "exception"
  | "rejection"
  | "SIGTERM"
  | "SIGINT"
  | "SIGHUP"
  | "clock"
  | "agent"
  | "killed";

export interface SaveBatch {
  readonly session: number;
  /** The number of this save within its session, from 1: tells a repeated save from a new one. */
  readonly save: number;
  /** The last clear that the session has heard of. */
  readonly seen: number;
  /** Now, ms since 1970. */
  readonly at: number;
  /** The hour that the counts belong to, in hours since 1970. */
  readonly hour: number;
  /** The keys behind row numbers that this store was not told yet in this session, in a batch or in an announcement. */
  readonly keys: readonly KeyOfRow[];
  /** The names behind counter numbers. */
  readonly counters: readonly string[];
  /** Triples: row, counter, and what the session counted of it in that hour. */
  readonly cells: Float64Array;
  /** The session of the agent elsewhere that the counts come from. */
  readonly agent?: string;
  /** Given with the session's last save. */
  readonly ending?: Ending;
}

/** The rows that a batch has cells of. */
export function rowsOf({ cells }: Pick<SaveBatch, "cells">): number[] {
  const rows = new Set<number>();
  for (let i = 0; i < cells.length; i += 3) rows.add(cells[i] as number);
  return [...rows];
}

/** What a store's own thread must know to save for a thread that is stuck, under the same numbers as that would. */
export interface Announcement {
  /** Moves whenever the counting thread does something else to its rows than count: what was announced is void then. */
  readonly turns: Int32Array;
  /** True: rows that were announced before are void. */
  readonly anew: boolean;
  readonly rows: AnnouncedRows;
  /** From when on it is to look; null: there is nothing to save. */
  readonly due: DueSave | null;
}

export interface DueSave extends Pick<SaveBatch, "session" | "save" | "seen" | "hour" | "agent"> {
  /** What `turns` stood at. */
  readonly turn: number;
  /** True: of no save before is it unknown whether it is in the database. */
  readonly isSettled: boolean;
  /** How long a change may wait, ms. */
  readonly withinMs: number;
}

/** Rows, packed: one message may tell of a thousand. */
export interface AnnouncedRows {
  /** Of each row: what `announcedPlace` tells. */
  readonly places: Float64Array;
  readonly owners: readonly (readonly [protocol: string, userId: string])[];
  /** Of each row. */
  readonly servers: readonly string[];
  /** The names behind counter numbers: those of these rows, and of all before. */
  readonly counters: readonly string[];
  /** Shared memory that holds counters. */
  readonly chunks: readonly Float64Array[];
  /** Of each row: what its counters stood at when its hour began, then when they were last saved; see `stands`. */
  readonly stands: Float64Array;
  /** Numbers of counters that are to be read after all others: no success is to be seen without its attempt. */
  readonly attempts: readonly number[];
}

/** How many numbers tell where a row is. */
const PLACE = 8;

/** Where a row is: the one at that place among the announced. */
export function announcedPlace(places: Float64Array, i: number) {
  const [row, owner, chunk, at, length, first, hour, stands] = places.subarray(i * PLACE, (i + 1) * PLACE);
  return {
    row: row as number,
    owner: owner as number,
    chunk: chunk as number,
    /** Where its counters begin in the chunk, and how many there are. */
    at: at as number,
    length: length as number,
    /** The number of its first counter. */
    first: first as number,
    /** The hour that is being filled; -1 before the first. */
    hour: hour as number,
    /** How many of the stands are its own: half as many where both are the same, none where it stood at zero. */
    stands: stands as number,
  };
}

export type KeyOfRow = readonly [row: number, protocol: string, userId: string, server: string];

/**
 * - `saved`: done.
 * - `cleared`: others deleted or reset something that this session has not heard of; nothing was written.
 * - `closed`: others ended the session; nothing was written. Begin a new one.
 * - `untold`: the database was opened anew and row numbers mean nothing to it; nothing was written. Repeat with all keys.
 */
export type SaveResult =
  | { readonly outcome: "saved" }
  | { readonly outcome: "untold" }
  | ({ readonly outcome: "cleared" | "closed" } & Cleared);

/** Who asks: its session, and the last clear that it has heard of. */
export interface Caller {
  readonly session: number;
  readonly seen: number;
}

/** Who deletes or resets, and what it has heard of. */
export interface Clearer extends Doer {
  readonly seen: number;
}

/** Something that was deleted or reset. Sessions that are older must drop it too. */
export interface Clear {
  readonly clear: number;
  readonly what: "delete" | "reset";
  readonly scope: Scope;
}

/** What a session has to hear of. */
export interface Cleared {
  /** Everything that was cleared since the caller's `seen`, its own doing included. */
  readonly clears: readonly Clear[];
  /** The number of the caller's last save that the database holds: tells whether one of unknown fate arrived. */
  readonly saves: number;
}

/**
 * What becomes of a deleted user's sums. `forget`: nothing. `anonymise`: they move, without servers and without history,
 * to one row a protocol whose user and server are empty, so that totals over all users stay true.
 */
export type Totals = "forget" | "anonymise";

/**
 * How far a deletion went. `physically`: no page of any file holds it. `logically`: it is deleted, and the database's
 * owner decides when freed pages are overwritten. `pending`: as `logically`, until a reader lets go; it is tried again.
 */
export type Erased = "physically" | "logically" | "pending";

export interface Sums extends Cleared {
  /** ms since 1970. */
  readonly trackedSince: number;
  /** The last save of anyone, ms since 1970; null before the first. */
  readonly lastSaved: number | null;
  /** True when the caller's session is no longer open, so that its numbers belong to the others'. */
  readonly closed: boolean;
  /** True while `erase` has still to be done; a store that has nothing to erase leaves it out. */
  readonly erasurePending?: boolean;
  readonly sessions: readonly SessionRow[];
  readonly keys: readonly KeySums[];
}

export interface SessionRow {
  readonly session: number;
  /** All times in ms since 1970. */
  readonly started: number;
  readonly lastSaved: number;
  /** Null while it runs, and for good where it ended without a goodbye. */
  readonly ended: number | null;
  /** Null while it runs. */
  readonly how: Ending | null;
  readonly flushEveryMs: number;
  readonly folded: boolean;
}

import { covers, type Scope } from "../record/scope.ts";
import { kindOf } from "./audit.ts";
import {
  addCounts,
  type Counts,
  countersOf,
  countsOf,
  entry,
  type Key,
  MemoryDatabase,
  NO_HOUR,
  nameOf,
} from "./memory-database.ts";
import { counted, hours, sessionSums } from "./memory-reads.ts";
import { inThisThread } from "./methods.ts";
import {
  type AuditRow,
  type BegunSession,
  type Caller,
  type Clear,
  type Cleared,
  type Clearer,
  type CountedRow,
  type Doer,
  type HourRow,
  type NewReportKey,
  type NewSession,
  type ReportKey,
  rowsOf,
  type SaveBatch,
  type SaveResult,
  type SessionRow,
  type SessionSumRow,
  type StatsStore,
  type StoreCalls,
  type Sums,
  type Totals,
} from "./store.ts";

const HOUR_MS = 3_600_000;

/** Keeps nothing beyond this process: for tests, and for hosts that want the same API without a file. */
export function memoryStore(database: MemoryDatabase = new MemoryDatabase()): StatsStore {
  return inThisThread(new MemoryCalls(database));
}

class MemoryCalls implements StoreCalls {
  /** Stands for the lock of this store's sessions; replaced when the store is closed. */
  #owner = {};
  readonly #rows = new Map<number, Key>();
  /** The session that has saved nothing yet, and how it was asked for. */
  #begun: { readonly words: string; readonly answer: BegunSession } | null = null;

  constructor(readonly db: MemoryDatabase) {}

  begin(asked: NewSession): BegunSession {
    const words = JSON.stringify(asked);
    if (this.#begun?.words === words) return this.#begun.answer;
    const answer = this.#begin(asked);
    this.#begun = { words, answer };
    return answer;
  }

  #begin({ startedAt, flushEveryMs, seen }: NewSession): BegunSession {
    this.db.trackedSince ??= startedAt;
    const session = ++this.db.lastSession;
    const knows = seen ?? this.db.lastClear;
    const row = {
      session,
      started: startedAt,
      lastSaved: startedAt,
      ended: null,
      how: null,
      flushEveryMs,
      folded: false,
    };
    this.db.sessions.set(session, { row, saves: 0, seen: knows, agent: null, owner: this.#owner, hours: new Map() });
    this.#rows.clear();
    return { session, seen: knows };
  }

  save(batch: SaveBatch): SaveResult {
    this.#begun = null;
    const session = this.db.sessions.get(batch.session);
    const cleared = this.#cleared(batch);
    if (!session || session.row.folded || session.row.ended !== null) return { outcome: "closed", ...cleared };
    if (cleared.clears.length > 0) return { outcome: "cleared", ...cleared };
    const told = new Set([...this.#rows.keys(), ...batch.keys.map(([row]) => row)]);
    if (!rowsOf(batch).every((row) => told.has(row))) return { outcome: "untold" };
    session.owner = this.#owner;
    for (const [row, protocol, userId, server] of batch.keys) {
      this.#rows.set(row, this.#key({ protocol, userId, server, trackedSince: batch.at }));
    }
    for (let i = 0; i < batch.cells.length; i += 3) {
      const [row, counter, value] = batch.cells.subarray(i, i + 3) as unknown as [number, number, number];
      const key = this.#rows.get(row) as Key;
      const hour = entry(session.hours, batch.hour, () => new Map<Key, Counts>());
      entry(hour, key, () => new Map()).set(batch.counters[counter] as string, value);
    }
    session.saves = batch.save;
    session.seen = batch.seen;
    session.agent = batch.agent ?? null;
    const lastSaved = Math.max(session.row.lastSaved, batch.at);
    const end = batch.ending === undefined ? {} : { ended: lastSaved, how: batch.ending };
    session.row = { ...session.row, lastSaved, ...end };
    return { outcome: "saved" };
  }

  fold(by: Doer = { session: null, at: Date.now() }): number {
    let folded = 0;
    for (const session of this.db.sessions.values()) {
      if (session.row.folded || (session.row.ended === null && session.owner !== null)) continue;
      session.row = { ...session.row, folded: true, how: session.row.how ?? "killed" };
      for (const keys of session.hours.values()) {
        for (const [key, counts] of keys) addCounts(countsOf(this.db.past, key), counts);
      }
      this.#audit({ session: by.session, at: by.at, what: "fold", of: session.row.session });
      folded += 1;
    }
    this.#dropClears();
    return folded;
  }

  deleteUser(userId: string, totals: Totals, by: Clearer): Cleared & { readonly erased: "physically" } {
    if (totals === "anonymise") this.#anonymise(userId, by.at);
    return { ...this.#clear(totals === "anonymise" ? totals : "delete", { userId }, by), erased: "physically" };
  }

  deletedAmong(users: readonly string[], seen: number): string[] {
    const deleted = this.db.clears.filter(({ clear, what }) => clear > seen && what === "delete");
    const ids = new Set(deleted.map(({ scope }) => scope.userId));
    return users.filter((userId) => ids.has(userId));
  }

  reset(scope: Scope, by: Clearer): Cleared {
    if (Object.keys(scope).length === 0) this.db.trackedSince = by.at;
    return this.#clear("reset", scope, by);
  }

  prune(beforeHour: number): void {
    for (const [id, { row, agent, hours }] of this.db.sessions) {
      // An agent elsewhere may outlive its host, and go on counting from what it had.
      const isOver = row.folded && agent === null;
      // What a session that lives saves is all of its last hour.
      const last = row.folded ? Number.POSITIVE_INFINITY : Math.max(...hours.keys());
      for (const [hour, keys] of [...hours]) {
        if (hour >= Math.min(beforeHour, last) || (hour === NO_HOUR && !isOver)) continue;
        hours.delete(hour);
        if (isOver) continue;
        const rest = entry(hours, NO_HOUR, () => new Map<Key, Counts>());
        for (const [key, counts] of keys) addCounts(countsOf(rest, key), counts);
      }
      if (isOver && row.lastSaved < beforeHour * HOUR_MS) this.db.sessions.delete(id);
    }
    this.db.audit = this.db.audit.filter(({ at }) => at >= beforeHour * HOUR_MS);
    this.#dropClears();
  }

  erase(): "physically" {
    return "physically";
  }

  sums(caller: Caller | null): Sums {
    const except = caller?.session ?? null;
    const open = new Map<Key, Counts>();
    for (const { row, hours } of this.db.sessions.values()) {
      if (row.folded || row.session === except) continue;
      for (const keys of hours.values()) for (const [key, counts] of keys) addCounts(countsOf(open, key), counts);
    }
    const own = except === null ? undefined : this.db.sessions.get(except)?.row;
    const keys = [...this.db.keys.values()].map((key) => {
      return { ...key, past: countersOf(this.db.past.get(key)), open: countersOf(open.get(key)) };
    });
    const saved = [...this.db.sessions.values()].filter(({ saves }) => saves > 0).map(({ row }) => row.lastSaved);
    return {
      trackedSince: this.db.trackedSince ?? 0,
      lastSaved: saved.length > 0 ? Math.max(...saved) : null,
      closed: except !== null && (own === undefined || own.folded || own.ended !== null),
      ...this.#cleared(caller),
      sessions: this.sessions(),
      keys,
    };
  }

  sessions(): SessionRow[] {
    return [...this.db.sessions.values()].map(({ row, owner }) =>
      row.how === null && owner === null ? { ...row, how: "killed" } : row,
    );
  }

  sessionSums(): SessionSumRow[] {
    return sessionSums(this.db);
  }

  counted(agent: string): CountedRow[] {
    return counted(this.db, agent);
  }

  hours(from: number, to: number): HourRow[] {
    return hours(this.db, from, to);
  }

  audit(): AuditRow[] {
    return [...this.db.audit];
  }

  addReportKey(report: NewReportKey): number {
    const number = this.db.reportKeys.length + 1;
    this.db.reportKeys.push({ ...report, key: Uint8Array.from(report.key), report: number });
    return number;
  }

  reportKeys(): ReportKey[] {
    return this.db.reportKeys.map((each) => ({ ...each, key: Uint8Array.from(each.key) }));
  }

  close(): void {
    this.#begun = null;
    for (const session of this.db.sessions.values()) if (session.owner === this.#owner) session.owner = null;
    this.#owner = {};
    this.#rows.clear();
  }

  #key(key: Key): Key {
    return entry(this.db.keys, nameOf(key), () => key);
  }

  #anonymise(userId: string, at: number): void {
    for (const { protocol, userId: owner, past, open } of this.sums(null).keys) {
      if (owner !== userId) continue;
      const nobody = countsOf(this.db.past, this.#key({ protocol, userId: "", server: "", trackedSince: at }));
      for (const counters of [past, open]) addCounts(nobody, new Map(Object.entries(counters)));
    }
  }

  #clear(what: Clear["what"] | "anonymise", scope: Scope, by: Clearer): Cleared {
    this.#audit({ session: by.session, at: by.at, what, of: kindOf(scope) });
    for (const key of [...this.db.keys.values()].filter((each) => covers(scope, each))) {
      this.db.keys.delete(nameOf(key));
      this.db.past.delete(key);
      for (const { hours } of this.db.sessions.values()) for (const keys of hours.values()) keys.delete(key);
    }
    this.db.clears.push({ clear: ++this.db.lastClear, what: what === "reset" ? what : "delete", scope });
    const cleared = this.#cleared(by);
    const session = by.session === null ? undefined : this.db.sessions.get(by.session);
    if (session) session.seen = this.db.lastClear;
    this.#dropClears();
    return cleared;
  }

  /** What is asked for again in the same words is told once. */
  #audit(line: AuditRow): void {
    const words = JSON.stringify(line);
    if (!this.db.audit.some((each) => JSON.stringify(each) === words)) this.db.audit.push(line);
  }

  #cleared(caller: { readonly session: number | null; readonly seen: number } | null): Cleared {
    if (caller === null) return { clears: [], saves: 0 };
    const saves = this.db.sessions.get(caller.session ?? -1)?.saves ?? 0;
    return { clears: this.#clearsAfter(caller.seen), saves };
  }

  #clearsAfter(seen: number): Clear[] {
    return this.db.clears.flatMap(({ told, ...clear }) => (clear.clear > seen && !told ? [clear] : []));
  }

  /** Forgets what every session has heard of that never said goodbye; of the rest, what only sessions taken for dead have not. */
  #dropClears(): void {
    const silent = [...this.db.sessions.values()].filter(({ row }) => row.ended === null);
    const heardBy = (sessions: typeof silent) => Math.min(...sessions.map(({ seen }) => seen));
    const living = heardBy(silent.filter(({ row }) => !row.folded));
    const all = heardBy(silent);
    this.db.clears = this.db.clears.flatMap((clear) => {
      if (clear.clear <= all || (clear.clear <= living && clear.what === "reset")) return [];
      return [clear.clear <= living ? { ...clear, told: true } : clear];
    });
  }
}

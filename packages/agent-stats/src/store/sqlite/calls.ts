import type { Scope } from "../../record/scope.ts";
import {
  type AuditRow,
  type BegunSession,
  type Caller,
  type Cleared,
  type Clearer,
  type CountedRow,
  type Doer,
  type Erased,
  type HourRow,
  type KeyOfRow,
  type NewReportKey,
  type NewSession,
  type ReportKey,
  rowsOf,
  type SaveBatch,
  type SaveResult,
  type SessionRow,
  type SessionSumRow,
  type StoreCalls,
  type Sums,
  type Totals,
} from "../store.ts";
import { audit, readAudit } from "./audit.ts";
import { addToPast, anonymise, clear, deletedAmong, dropClears, userTrigger } from "./clears.ts";
import { Connection } from "./connection.ts";
import { erase } from "./erase.ts";
import { type OpenDatabase, type SessionLocks, wholly } from "./handle.ts";
import { HoursParts, type Put, type SumsHead, SumsParts } from "./parts.ts";
import { prune } from "./prune.ts";
import { cleared, isOpen, readCounted, readHours, readSessionSums, readSessions, readSums } from "./reads.ts";
import { addReportKey, readReportKeys } from "./report-keys.ts";

/** How many numbers of sessions are left out because others hold their locks, since another file stood here. */
const MOST_LEFT_OUT = 20;

/** All the SQL, once for every driver of the SQLite family. Synchronous; whoever wants it off a thread puts it there. */
export class SqliteCalls implements StoreCalls {
  readonly #db: Connection;
  /** The keys behind row numbers of the session that is open here. */
  readonly #keys = new Map<number, number>();
  /** Which database that session is of; null before the first. */
  #salt: number | null = null;
  /** The session that has saved nothing yet, and how it was asked for. */
  #begun: { readonly words: string; readonly answer: BegunSession } | null = null;

  constructor(open: () => OpenDatabase) {
    this.#db = new Connection(open);
  }

  begin(asked: NewSession): BegunSession {
    const words = JSON.stringify(asked);
    if (this.#begun?.words === words) return this.#begun.answer;
    const answer = this.#begin(asked);
    this.#begun = { words, answer };
    return answer;
  }

  #begin({ startedAt, flushEveryMs, seen }: NewSession): BegunSession {
    return this.#db.write((database) => {
      const newest = "SELECT COALESCE(MAX(tombstone_id), 0) AS n FROM agent_stats_tombstone";
      const knows = this.#isReplaced() ? 0 : (seen ?? this.#db.number(newest));
      // Tracking began with the first session, not when the file was made for it.
      if (this.#db.meta("tracked_since") === 0) this.#db.setMeta("tracked_since", startedAt);
      const session = this.#insertSession([startedAt, startedAt, flushEveryMs, knows], database.locks);
      this.#keys.clear();
      this.#salt = this.#db.meta("salt");
      return { session, seen: knows };
    });
  }

  /** A session with its lock, before the commit: nobody must ever see it without. */
  #insertSession(values: readonly number[], locks: SessionLocks): number {
    for (let leftOut = 0; leftOut < MOST_LEFT_OUT; leftOut++) {
      this.#db.run(
        "INSERT INTO agent_stats_session (started, last_saved, flush_every, seen) VALUES (?, ?, ?, ?)",
        values,
      );
      const session = this.#db.number("SELECT last_insert_rowid() AS n");
      if (locks.take(session)) return session;
      // Somebody lives who began it in a file that was moved away, and may not look for that file for hours.
      this.#db.run("DELETE FROM agent_stats_session WHERE session_id = ?", [session]);
    }
    throw Object.assign(new Error("lock"), { code: "SQLITE_BUSY" });
  }

  save(batch: SaveBatch): SaveResult {
    this.#begun = null;
    const told = new Map<number, number>();
    const result = this.#db.write<SaveResult>((database) => {
      if (this.#isReplaced()) return { outcome: "closed", clears: [], saves: 0 };
      const news = cleared(this.#db, batch);
      if (!isOpen(this.#db, batch.session)) return { outcome: "closed", ...news };
      if (news.clears.length > 0) return { outcome: "cleared", ...news };
      const given = new Set(batch.keys.map(([row]) => row));
      if (!rowsOf(batch).every((row) => given.has(row) || this.#keys.has(row))) return { outcome: "untold" };
      // Where the connection was opened anew, the lock went with the old one.
      database.locks.take(batch.session);
      for (const key of batch.keys) told.set(key[0], this.#key(key, batch.at));
      this.#saveCells(batch, told);
      const { save, seen, at, agent = null, ending = null } = batch;
      this.#db.run(
        `UPDATE agent_stats_session SET saves = ?, seen = ?, agent = ?, last_saved = MAX(last_saved, ?),
          ended = CASE WHEN ? IS NULL THEN NULL ELSE MAX(started, last_saved, ?) END, how = ? WHERE session_id = ?`,
        [save, seen, agent, at, ending, at, ending, batch.session],
      );
      return { outcome: "saved" };
    });
    for (const [row, key] of told) this.#keys.set(row, key);
    if (result.outcome === "saved" && batch.ending !== undefined) this.#unlock([batch.session]);
    return result;
  }

  fold(by: Doer = { session: null, at: Date.now() }): number {
    const dead: number[] = [];
    const folded = this.#db.write(({ locks }) => {
      const open = this.#db.all<{ session: number; ended: number | null }>(
        "SELECT session_id AS session, ended FROM agent_stats_session WHERE folded = 0 ORDER BY session_id",
      );
      const over = open.filter(({ session, ended }) => {
        if (ended !== null) return true;
        const isDead = !locks.isHeld(session) && locks.take(session);
        if (isDead) dead.push(session);
        return isDead;
      });
      const count = over.reduce((sum, { session }) => sum + this.#foldOne(session, by), 0);
      if (count > 0) dropClears(this.#db);
      return count;
    });
    this.#unlock(dead);
    return folded;
  }

  deleteUser(userId: string, totals: Totals, by: Clearer): Cleared & { readonly erased: Erased } {
    const news = this.#db.write(() => {
      if (totals === "anonymise") anonymise(this.#db, userId, by.at);
      return clear(this.#db, totals === "anonymise" ? totals : "delete", { userId }, by);
    });
    this.#keys.clear();
    return { ...news, erased: this.erase() };
  }

  deletedAmong(users: readonly string[], seen: number): string[] {
    return this.#db.use(() => deletedAmong(this.#db, users, this.#isReplaced() ? 0 : seen));
  }

  /** The same as `deleteUser` within a transaction that the host has open. */
  deleteUserWithin(userId: string): void {
    const by = { session: null, seen: Number.MAX_SAFE_INTEGER, at: Date.now() };
    this.#db.use(({ handle }) => wholly(handle, () => clear(this.#db, "delete", { userId }, by)));
  }

  installUserTrigger(table: string, column: string): void {
    this.#db.use(({ handle, schema }) => {
      // SQLite would find out at the first deletion only, and make that fail.
      handle.prepare(`SELECT "${table}"."${column}" FROM "${schema}"."${table}" LIMIT 0`).all([]);
      handle.exec(userTrigger(schema, table, column));
    });
  }

  reset(scope: Scope, by: Clearer): Cleared {
    const news = this.#db.write(() => {
      if (Object.keys(scope).length === 0) this.#db.setMeta("tracked_since", by.at);
      return clear(this.#db, "reset", scope, by);
    });
    this.#keys.clear();
    this.erase();
    return news;
  }

  prune(beforeHour: number): void {
    this.#db.write(() => prune(this.#db, beforeHour));
  }

  erase(): Erased {
    return erase(this.#db);
  }

  sums(caller: Caller | null): Sums {
    const parts = new SumsParts();
    return parts.whole(this.#putSums(caller, (part) => parts.add(part)));
  }

  #putSums(caller: Caller | null, put: Put): SumsHead {
    const nobody = caller && { session: -1, seen: 0 };
    return this.#db.use(() => readSums(this.#db, this.#isReplaced() ? nobody : caller, put));
  }

  /** The calls that are answered in parts, for whoever is in another thread; undefined for all others. */
  inParts(method: string, args: readonly unknown[], put: Put): object | undefined {
    if (method === "sums") return this.#putSums(args[0] as Caller | null, put);
    if (method !== "hours") return undefined;
    readHours(this.#db, ...(args as [from: number, to: number]), put);
    return {};
  }

  sessions(): SessionRow[] {
    return readSessions(this.#db);
  }

  sessionSums(): SessionSumRow[] {
    return readSessionSums(this.#db);
  }

  counted(agent: string): CountedRow[] {
    return readCounted(this.#db, agent);
  }

  hours(from: number, to: number): HourRow[] {
    const parts = new HoursParts();
    readHours(this.#db, from, to, (part) => parts.add(part));
    return parts.whole();
  }

  audit(): AuditRow[] {
    return readAudit(this.#db);
  }

  addReportKey(report: NewReportKey): number {
    return this.#db.write(() => addReportKey(this.#db, report));
  }

  reportKeys(): ReportKey[] {
    return readReportKeys(this.#db);
  }

  close(): void {
    this.#begun = null;
    this.#keys.clear();
    this.#db.close();
  }

  #saveCells(batch: SaveBatch, told: ReadonlyMap<number, number>): void {
    const put = this.#db.statement(
      `INSERT INTO agent_stats_count (session_id, hour, key_id, counter, value) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (session_id, hour, key_id, counter) DO UPDATE SET value = excluded.value`,
    );
    const { session, hour, counters, cells } = batch;
    for (let i = 0; i < cells.length; i += 3) {
      const row = cells[i] as number;
      const key = (told.get(row) ?? this.#keys.get(row)) as number;
      put.run([session, hour, key, counters[cells[i + 1] as number] as string, cells[i + 2] as number]);
    }
  }

  #foldOne(session: number, by: Doer): number {
    const { changes } = this.#db.run(
      "UPDATE agent_stats_session SET folded = 1, how = COALESCE(how, 'killed') WHERE session_id = ? AND folded = 0",
      [session],
    );
    if (changes === 0) return 0;
    addToPast(this.#db, session);
    audit(this.#db, { session: by.session, at: by.at, what: "fold", of: session });
    return 1;
  }

  #key([, protocol, userId, server]: KeyOfRow, at: number): number {
    const find = "SELECT key_id AS key FROM agent_stats_key WHERE user_id = ? AND protocol = ? AND server = ?";
    const found = this.#db.get<{ key: number }>(find, [userId, protocol, server]);
    if (found) return found.key;
    this.#db.run("INSERT INTO agent_stats_key (user_id, protocol, server, tracked_since) VALUES (?, ?, ?, ?)", [
      userId,
      protocol,
      server,
      at,
    ]);
    return this.#db.number("SELECT last_insert_rowid() AS n");
  }

  #unlock(sessions: readonly number[]): void {
    this.#db.use(({ locks }) => {
      for (const session of sessions) locks.remove(session);
    });
  }

  /** True where another database stands in the place of the session's own: its numbers mean something else here. */
  #isReplaced(): boolean {
    return this.#salt !== null && this.#salt !== this.#db.meta("salt");
  }
}

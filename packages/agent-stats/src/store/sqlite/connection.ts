import { countChange } from "./changes.ts";
import {
  atOneMoment,
  codeOf,
  immediately,
  type OpenDatabase,
  type SessionLocks,
  type SqliteStatement,
  type SqlValue,
  statsErrorOf,
} from "./handle.ts";

/** After these the connection proves nothing any more: it is closed, and the next call looks again. */
const REOPEN_AFTER = /^SQLITE_(IOERR|CORRUPT|NOTADB|CANTOPEN|READONLY)|^STATS_MOVED/;

/** What a disk that fails to read can look like. An index that contradicts its table was read. */
const DAMAGE = /^SQLITE_(CORRUPT(?!_INDEX)|NOTADB)/;

/** The tables as SQL here names them. In an attached file they carry its name. */
const TABLES = /\bagent_stats_(?:meta|session|key|count|past|tombstone|audit|report)\b/g;

type Params = readonly SqlValue[];

/** A database that is opened when it is first needed, and again after it failed. */
export class Connection {
  readonly #open: () => OpenDatabase;
  #database: OpenDatabase | null = null;
  /** They outlive a connection that failed: this process goes on, and so does its session. */
  #locks: SessionLocks | null = null;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(open: () => OpenDatabase) {
    this.#open = open;
  }

  /** Makes one call of the port: opens what is not open, and says what went wrong in this library's words. */
  use<T>(body: (database: OpenDatabase) => T): T {
    try {
      this.#database ??= this.#open();
      this.#locks ??= this.#database.locks;
      return body({ ...this.#database, locks: this.#locks });
    } catch (error) {
      const maySayMore = this.#database?.assertReadable !== undefined;
      if (REOPEN_AFTER.test(codeOf(error))) this.#drop();
      throw statsErrorOf(maySayMore && DAMAGE.test(codeOf(error)) ? this.#seenAgain() : error);
    }
  }

  /** The same in one transaction that writes. */
  write<T>(body: (database: OpenDatabase) => T): T {
    return this.use((database) => {
      database.assertInPlace();
      return immediately(database.handle, () => {
        const before = this.#changes();
        const result = body(database);
        // What changed nothing, as most folds and prunings, is to wait for no disk either.
        if (database.ownFile && this.#changes() !== before) countChange(database.handle);
        return result;
      });
    });
  }

  /** The same with several reads at one moment. */
  read<T>(body: (database: OpenDatabase, isWithinHosts: boolean) => T): T {
    return this.use((database) => atOneMoment(database.handle, (isWithinHosts) => body(database, isWithinHosts)));
  }

  close(): void {
    this.#locks?.removeAll();
    this.#locks = null;
    this.#disconnect();
  }

  /** Within a call: a statement, prepared once. */
  statement(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const { handle, schema } = this.#database as OpenDatabase;
    const made = handle.prepare(schema === "main" ? sql : sql.replace(TABLES, `"${schema}".$&`));
    this.#statements.set(sql, made);
    return made;
  }

  run(sql: string, params: Params = []): { readonly changes: number } {
    return this.statement(sql).run(params);
  }

  get<R>(sql: string, params: Params = []): R | undefined {
    return this.statement(sql).get(params) as R | undefined;
  }

  all<R>(sql: string, params: Params = []): R[] {
    return this.statement(sql).all(params) as R[];
  }

  /** The one number that a query selects as `n`. */
  number(sql: string, params: Params = []): number {
    return this.get<{ n: number }>(sql, params)?.n ?? 0;
  }

  meta(name: string): number {
    return this.number("SELECT value AS n FROM agent_stats_meta WHERE name = ?", [name]);
  }

  setMeta(name: string, value: number): void {
    this.run("UPDATE agent_stats_meta SET value = ? WHERE name = ?", [value, name]);
  }

  /** Damage is believed when it is there again. */
  #seenAgain(): unknown {
    try {
      this.#database = this.#open();
      this.#database.assertReadable?.();
      return { code: "SQLITE_IOERR" };
    } catch (again) {
      return again;
    }
  }

  /** How many rows this connection ever changed. */
  #changes(): number {
    return this.number("SELECT total_changes() AS n");
  }

  #disconnect(): void {
    const database = this.#database;
    this.#database = null;
    this.#statements.clear();
    database?.close();
  }

  #drop(): void {
    try {
      this.#disconnect();
    } catch {
      // A connection that failed may fail to close as well; the next call opens another.
    }
  }
}

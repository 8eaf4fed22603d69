import type { Counters, HourRow, KeySums, Sums } from "../store.ts";
import type { Connection } from "./connection.ts";
import { areCounted, notCounted, SUM_OF_COUNTS } from "./counts.ts";
import type { SqlValue } from "./handle.ts";

/**
 * Long answers are read in parts: of each column a list, as JSON. Making an object of every row costs a driver 2 µs and
 * the way between threads as much again; SQLite writes a thousand values as one text in less. The counters of a key come
 * as the very object that is handed out. So the thread of the database reads a part while the host's makes rows of the
 * one before, and neither is busy for long.
 */
export type Part = Readonly<Record<string, string>>;
export type Put = (part: Part) => void;

/** Makes the rows again: of each part when it comes, and the answer when all have come. */
interface Parts {
  add(part: Part): void;
  whole(head: unknown): unknown;
}

/** What `sums` answers beside its rows. */
export type SumsHead = Omit<Sums, "keys">;

/** For a call whose answer comes in parts; null for any other. */
export function partsOf(method: string): Parts | null {
  if (method === "sums") return new SumsParts();
  return method === "hours" ? new HoursParts() : null;
}

/** Both are about a millisecond's work for either thread. */
const KEYS_A_PART = 1_000;
const COUNTS_A_PART = 4_000;

/** The columns of a part, read back; empty where it has other ones. */
interface Columns {
  readonly key: readonly number[];
  readonly protocol: readonly string[];
  readonly userId: readonly string[];
  readonly server: readonly string[];
  readonly trackedSince: readonly number[];
  readonly past: readonly Counters[];
  readonly openKey: readonly number[];
  readonly open: readonly Counters[];
  readonly hour: readonly number[];
  readonly of: readonly number[];
  readonly counters: readonly Counters[];
}

function column<C extends keyof Columns>(part: Part, name: C): Columns[C] {
  return JSON.parse(part[name] ?? "[]");
}

const COUNTERS = "json_group_object(counter, value) FILTER (WHERE value <> 0)";

/** Within a call: all keys and sums, without those of that session. */
export function putSums(db: Connection, except: number, put: Put): void {
  putLists(
    db,
    put,
    { openKey: list("key_id"), open: objects("counters") },
    `(SELECT key_id, ${COUNTERS} AS counters FROM (
      SELECT key_id, counter, ${SUM_OF_COUNTS} AS value FROM agent_stats_count
        WHERE session_id IN (SELECT session_id FROM agent_stats_session WHERE folded = 0 AND session_id <> ?)
        GROUP BY key_id, counter)
      GROUP BY key_id)`,
    [except],
  );
  const page = `SELECT MAX(key_id) AS n FROM (
    SELECT key_id FROM agent_stats_key WHERE key_id > ? ORDER BY key_id LIMIT ${KEYS_A_PART})`;
  const past = `(SELECT ${COUNTERS} FROM agent_stats_past WHERE agent_stats_past.key_id = agent_stats_key.key_id)`;
  for (let after = -1, last = db.number(page, [after]); last > after; last = db.number(page, [after])) {
    putLists(
      db,
      put,
      { key: list("key_id"), ...NAMES, trackedSince: list("tracked_since"), past: objects(past) },
      "agent_stats_key WHERE key_id > ? AND key_id <= ?",
      [after, last],
    );
    after = last;
  }
}

const NONE: Counters = {};

export class SumsParts implements Parts {
  readonly #keys: KeySums[] = [];
  /** What open sessions counted, by key: it comes first. */
  readonly #open = new Map<number, Counters>();
  #isCounted = true;

  add(part: Part): void {
    const open = column(part, "open");
    for (const [i, key] of column(part, "openKey").entries()) this.#open.set(key, this.#counted(open[i] as Counters));
    const [userId, server] = [column(part, "userId"), column(part, "server")];
    const [protocol, trackedSince, past] = [
      column(part, "protocol"),
      column(part, "trackedSince"),
      column(part, "past"),
    ];
    const key = column(part, "key");
    for (let i = 0; i < key.length; i++) {
      this.#keys.push({
        protocol: protocol[i] as string,
        userId: userId[i] as string,
        server: server[i] as string,
        trackedSince: trackedSince[i] as number,
        past: this.#counted(past[i] as Counters),
        open: this.#open.get(key[i] as number) ?? NONE,
      });
    }
  }

  whole(head: SumsHead): Sums {
    if (!this.#isCounted) throw notCounted();
    return { ...head, keys: this.#keys };
  }

  #counted(counters: Counters): Counters {
    this.#isCounted &&= areCounted(counters);
    return counters;
  }
}

/** Within a call: what was counted by hour. */
export function putHours(db: Connection, from: number, to: number, put: Put): void {
  const within = [Math.max(from, 0), to];
  putLists(
    db,
    put,
    { key: list("key_id"), ...NAMES },
    "agent_stats_key WHERE key_id IN (SELECT key_id FROM agent_stats_count WHERE hour BETWEEN ? AND ?)",
    within,
  );
  for (let after: Place | null = [-1, -1]; after; ) {
    const last: Place | null = endOfPart(db, within, after);
    putLists(
      db,
      put,
      { hour: list("hour"), of: list("key_id"), counters: objects("counters") },
      `(SELECT hour, key_id, ${COUNTERS} AS counters FROM agent_stats_count
        WHERE hour BETWEEN ? AND ? AND (session_id, hour) > (?, ?) ${last ? "AND (session_id, hour) <= (?, ?)" : ""}
        GROUP BY session_id, hour, key_id)`,
      [...within, ...after, ...(last ?? [])],
    );
    after = last;
  }
}

/** A place in the order of the table: all counts of one session in one hour come together. */
type Place = readonly [session: number, hour: number];

/** Where the part ends that begins after that place; null: it is the last. */
function endOfPart(db: Connection, within: readonly number[], after: Place): Place | null {
  const found = db.get<{ session: number; hour: number }>(
    `SELECT session_id AS session, hour FROM agent_stats_count
      WHERE hour BETWEEN ? AND ? AND (session_id, hour) > (?, ?)
      ORDER BY session_id, hour LIMIT 1 OFFSET ${COUNTS_A_PART}`,
    [...within, ...after],
  );
  return found ? [found.session, found.hour] : null;
}

export class HoursParts implements Parts {
  readonly #keys = new Map<number, Pick<HourRow, "protocol" | "userId" | "server">>();
  readonly #rows: HourRow[] = [];
  #isCounted = true;

  add(part: Part): void {
    const [protocol, userId, server] = [column(part, "protocol"), column(part, "userId"), column(part, "server")];
    for (const [i, key] of column(part, "key").entries()) {
      const names = { protocol: protocol[i] as string, userId: userId[i] as string, server: server[i] as string };
      this.#keys.set(key, names);
    }
    const [hour, of, counters] = [column(part, "hour"), column(part, "of"), column(part, "counters")];
    for (let i = 0; i < hour.length; i++) {
      const names = this.#keys.get(of[i] as number);
      if (names === undefined) continue;
      this.#isCounted &&= areCounted(counters[i] as Counters);
      const { protocol, userId, server } = names;
      this.#rows.push({ hour: hour[i] as number, protocol, userId, server, counters: counters[i] as Counters });
    }
  }

  whole(): HourRow[] {
    if (!this.#isCounted) throw notCounted();
    return this.#rows;
  }
}

const NAMES = { protocol: list("protocol"), userId: list("user_id"), server: list("server") };

/** A column as a list. */
function list(column: string): string {
  return `json_group_array(${column})`;
}

/** A column of JSON objects as a list, as they stand: SQLite would read and write them once more. */
function objects(column: string): string {
  return `'[' || COALESCE(GROUP_CONCAT(${column}), '') || ']'`;
}

function putLists(
  db: Connection,
  put: Put,
  lists: Readonly<Record<string, string>>,
  from: string,
  params: readonly SqlValue[],
): void {
  const columns = Object.entries(lists).map(([name, sql]) => `${sql} AS "${name}"`);
  put(db.get<Part>(`SELECT ${columns.join(", ")} FROM ${from}`, params) as Part);
}

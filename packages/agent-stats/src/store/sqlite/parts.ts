import type { HourRow, KeyRow, SumRow, Sums } from "../store.ts";
import type { Connection } from "./connection.ts";
import { counted } from "./counts.ts";
import type { SqlValue } from "./handle.ts";

/**
 * Long answers are read in parts, each one JSON text with a list for each column. Making an object of every row costs a
 * driver 2 µs and the way between threads as much again; SQLite writes a thousand values as one text in less. So the
 * thread of the database reads a part while the host's makes rows of the one before, and neither is busy for long.
 */
export type Put = (part: string) => void;

/** Makes the rows again: of each part when it comes, and the answer when all have come. */
interface Parts {
  add(part: string): void;
  whole(head: unknown): unknown;
}

/** What `sums` answers beside its rows. */
export type SumsHead = Omit<Sums, "keys" | "sums">;

/** For a call whose answer comes in parts; null for any other. */
export function partsOf(method: string): Parts | null {
  if (method === "sums") return new SumsParts();
  return method === "hours" ? new HoursParts() : null;
}

const KEYS_A_PART = 2_000;
/** No index leads to an hour, so each part goes through all. */
const HOUR_PARTS = 4;

type Lists = { readonly [column: string]: readonly (string | number)[] };

/** Within a call: all keys and sums, without those of that session. */
export function putSums(db: Connection, except: number, put: Put): void {
  putLists(
    db,
    put,
    ["openKey", "openCounter", "open"],
    [except],
    `SELECT key_id AS openKey, counter AS openCounter, SUM(value) AS open FROM agent_stats_count
      WHERE session_id IN (SELECT session_id FROM agent_stats_session WHERE folded = 0 AND session_id <> ?)
      GROUP BY key_id, counter`,
  );
  const page = `SELECT MAX(key_id) AS n FROM (
    SELECT key_id FROM agent_stats_key WHERE key_id > ? ORDER BY key_id LIMIT ${KEYS_A_PART})`;
  for (let after = -1, last = db.number(page, [after]); last > after; ) {
    putLists(
      db,
      put,
      ["key", "protocol", "userId", "server", "trackedSince"],
      [after, last],
      `SELECT key_id AS key, protocol, user_id AS userId, server, tracked_since AS trackedSince
        FROM agent_stats_key WHERE key_id > ? AND key_id <= ? ORDER BY key_id`,
    );
    putLists(
      db,
      put,
      ["of", "counter", "past"],
      [after, last],
      `SELECT key_id AS of, counter, value AS past FROM agent_stats_past WHERE key_id > ? AND key_id <= ?
        ORDER BY key_id, counter`,
    );
    after = last;
    last = db.number(page, [after]);
  }
}

export class SumsParts implements Parts {
  readonly #keys: KeyRow[] = [];
  readonly #sums: SumRow[] = [];
  /** What open sessions counted, by key and counter: it comes first, and is put where the past is. */
  readonly #open = new Map<number, Map<string, number>>();

  add(part: string): void {
    const { openKey = [], openCounter = [], open = [], key = [], of = [], ...rest } = JSON.parse(part) as Lists;
    openKey.forEach((of, i) => {
      const counters = this.#open.get(of as number) ?? new Map<string, number>();
      this.#open.set(of as number, counters.set(openCounter[i] as string, open[i] as number));
    });
    const { protocol = [], userId = [], server = [], trackedSince = [], counter = [], past = [] } = rest;
    for (let i = 0; i < key.length; i++) {
      this.#keys.push({
        key: key[i] as number,
        protocol: protocol[i] as string,
        userId: userId[i] as string,
        server: server[i] as string,
        trackedSince: trackedSince[i] as number,
      });
    }
    for (let i = 0; i < of.length; i++) {
      const [key, name] = [of[i] as number, counter[i] as string];
      this.#sums.push({ key, counter: name, past: past[i] as number, open: this.#takeOpen(key, name) });
    }
  }

  whole(head: SumsHead): Sums {
    for (const [key, counters] of this.#open) {
      for (const [counter, open] of counters) this.#sums.push({ key, counter, past: 0, open });
    }
    if (this.#open.size > 0) this.#sums.sort((a, b) => a.key - b.key);
    return { ...head, keys: this.#keys, sums: counted(this.#sums, ({ past, open }) => [past, open]) };
  }

  #takeOpen(key: number, counter: string): number {
    const counters = this.#open.get(key);
    const open = counters?.get(counter) ?? 0;
    counters?.delete(counter);
    return open;
  }
}

/** Within a call: what was counted by hour. */
export function putHours(db: Connection, from: number, to: number, put: Put): void {
  const bounds = "SELECT MIN(hour) AS first, MAX(hour) AS last FROM agent_stats_count WHERE hour BETWEEN ? AND ?";
  const { first, last } = db.get<{ first: number | null; last: number }>(bounds, [Math.max(from, 0), to]) ?? {};
  if (typeof first !== "number" || last === undefined) return;
  putLists(
    db,
    put,
    ["key", "protocol", "userId", "server"],
    [first, last],
    `SELECT key_id AS key, protocol, user_id AS userId, server FROM agent_stats_key
      WHERE key_id IN (SELECT key_id FROM agent_stats_count WHERE hour BETWEEN ? AND ?) ORDER BY key_id`,
  );
  const hours = Math.ceil((last - first + 1) / HOUR_PARTS);
  for (let begin = first; begin <= last; begin += hours) {
    putLists(
      db,
      put,
      ["hour", "of", "counter", "value"],
      [begin, begin + hours - 1],
      "SELECT hour, key_id AS of, counter, value FROM agent_stats_count WHERE hour BETWEEN ? AND ?",
    );
  }
}

/** What one session counted of one key in one hour. */
interface Count {
  readonly hour: number;
  readonly key: number;
  readonly counter: string;
  value: number;
}

export class HoursParts implements Parts {
  readonly #keys = new Map<number, Pick<HourRow, "protocol" | "userId" | "server">>();
  readonly #counts: Count[] = [];

  add(part: string): void {
    const { key = [], protocol = [], userId = [], server = [], ...counts } = JSON.parse(part) as Lists;
    for (let i = 0; i < key.length; i++) {
      const names = { protocol: protocol[i] as string, userId: userId[i] as string, server: server[i] as string };
      this.#keys.set(key[i] as number, names);
    }
    const { hour = [], of = [], counter = [], value = [] } = counts;
    for (let i = 0; i < hour.length; i++) {
      this.#counts.push({
        hour: hour[i] as number,
        key: of[i] as number,
        counter: counter[i] as string,
        value: value[i] as number,
      });
    }
  }

  whole(): HourRow[] {
    const rows: HourRow[] = [];
    for (const { hour, key, counter, value } of summed(counted(this.#counts, (count) => [count.value]))) {
      const names = this.#keys.get(key);
      if (names === undefined) continue;
      const { protocol, userId, server } = names;
      rows.push({ hour, protocol, userId, server, counter, value });
    }
    return rows;
  }
}

/** One count for each hour, key and counter, oldest first. They are in that order already but where sessions overlap. */
function summed(counts: Count[]): Count[] {
  if (counts.every((count, i) => i === 0 || order(counts[i - 1] as Count, count) < 0)) return counts;
  const sums: Count[] = [];
  for (const count of counts.sort(order)) {
    const last = sums.at(-1);
    if (last && order(last, count) === 0) last.value += count.value;
    else sums.push(count);
  }
  return sums;
}

function order(a: Count, b: Count): number {
  if (a.hour !== b.hour) return a.hour - b.hour;
  if (a.key !== b.key) return a.key - b.key;
  return a.counter === b.counter ? 0 : a.counter < b.counter ? -1 : 1;
}

function putLists(
  db: Connection,
  put: Put,
  columns: readonly string[],
  params: readonly SqlValue[],
  sql: string,
): void {
  const lists = columns.map((name) => `'${name}', json_group_array(${name})`).join(", ");
  put(db.get<{ part: string }>(`SELECT json_object(${lists}) AS part FROM (${sql})`, params)?.part ?? "{}");
}

/** Hostile names in a real file, and hostile rows in one: names come back as they were, rows are never a wrong number. */
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { defineProtocol, openAgentStats, readAgentStats, StatsError } from "agent-stats";
import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import fc from "fast-check";
import { KEY, MARK, removeSearched } from "../../oracle/canary.ts";
import { DRIVERS, openWithKey } from "../../oracle/drivers.ts";
import { serverOf } from "../../oracle/names.ts";
import { checked, expect, type Found, type Fuzz } from "./fuzz.ts";

const protocol = defineProtocol("smp", { sent: "messages sent", errors: "messages refused" });
const NAMES_AT_ONCE = 100;

const driverOf = (seed: number) => DRIVERS[Math.abs(seed) % DRIVERS.length] as (typeof DRIVERS)[number];
const storeAt = (file: string, seed: number) =>
  sqlcipherStore({ file, key: KEY, driver: driverOf(seed), thread: "same" });
const open = (file: string, seed: number) =>
  openAgentStats({ protocols: [protocol], store: storeAt(file, seed), flushEvery: 60_000, onProblem: () => {} });

async function read(file: string, seed: number) {
  const view = readAgentStats({ store: sqlcipherReader({ file, key: KEY, driver: driverOf(seed), thread: "same" }) });
  try {
    const { servers } = await view.getServersStats();
    return { servers, sessions: await view.getSessions(), hours: await view.getTimeline({ from: new Date(0) }) };
  } finally {
    await view.close();
  }
}

const part = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  fc.constantFrom(
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "é",
    "e\u0301",
    "%",
    "'",
    '"',
    "NULL",
    "1",
    "01",
    "1.0",
    "\u202e",
    "\n",
  ),
);

/** Each carries the mark, so that the files are searched for it. */
const text = part.map((each) => `${MARK}${each}`);

/** A unit is one name: many are saved at once. */
export const fuzzNames: Fuzz = async ({ runs, ...order }) => {
  const folder = join(order.folder, "names");
  mkdirSync(folder, { recursive: true });
  let n = 0;
  const keys = fc.uniqueArray(fc.tuple(text, text), {
    minLength: NAMES_AT_ONCE,
    maxLength: NAMES_AT_ONCE,
    selector: (key) => JSON.stringify(key),
  });
  const found = await checked({ ...order, runs: Math.ceil(runs / NAMES_AT_ONCE) }, keys, async (names) => {
    const home = join(folder, String(++n));
    mkdirSync(home);
    const file = join(home, "stats.db");
    const stats = await open(file, order.seed);
    names.forEach(([user, server], index) => void stats.server(protocol, user, server).add("sent", index + 1));
    await stats.close();
    const { servers } = await read(file, order.seed);
    const told = new Map(
      servers.map(({ userId, server, overall }) => [JSON.stringify([userId, server]), overall.sent]),
    );
    // Halves of characters are no text, and no name: whoever gives one counts nowhere.
    const kept = names.filter((name) => name.every((part) => !/\p{Cs}/u.test(part)));
    expect(told.size === kept.length, `${told.size} keys were kept of ${kept.length}`);
    names.forEach((name, index) => {
      if (!kept.includes(name)) return;
      expect(told.get(JSON.stringify(name)) === index + 1, "a name did not come back as it was");
    });
    removeSearched(home);
  });
  return { ...found, ran: found.ran * NAMES_AT_ONCE };
};

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  agent_stats_meta: ["value"],
  agent_stats_session: ["started", "last_saved", "ended", "how", "flush_every", "saves", "seen", "folded", "agent"],
  agent_stats_key: ["key_id", "protocol", "user_id", "server", "tracked_since"],
  agent_stats_count: ["session_id", "hour", "key_id", "counter", "value"],
  agent_stats_past: ["key_id", "counter", "value"],
};

const VALUES = [
  "-1",
  "0",
  "1",
  "9223372036854775807",
  "-9223372036854775808",
  "9007199254740993",
  "1.5",
  "1e300",
  "-1e300",
  "'abc'",
  "''",
  "'NaN'",
  "x'00ff'",
  "'12'",
  "NULL",
  "9e999",
  "8640000000000001",
  "2",
];

const change = fc.oneof(
  fc
    .constantFrom(
      ...Object.entries(COLUMNS).flatMap(([table, columns]) => columns.map((column) => ({ table, column }))),
    )
    .chain(({ table, column }) =>
      fc
        .record({ value: fc.constantFrom(...VALUES), row: fc.nat(5) })
        .map(
          ({ value, row }) =>
            `UPDATE OR REPLACE ${table} SET ${column} = ${value} WHERE ${table === "agent_stats_meta" ? `name = (SELECT name FROM agent_stats_meta LIMIT 1 OFFSET ${row % 4})` : `${column} = (SELECT ${column} FROM ${table} LIMIT 1 OFFSET ${row})`}`,
        ),
    ),
  fc.constantFrom(...Object.keys(COLUMNS)).map((table) => `DELETE FROM ${table}`),
);

/** One file that is filled once, and copied for each run. */
async function base(folder: string, seed: number): Promise<string> {
  const file = join(folder, "base.db");
  mkdirSync(folder, { recursive: true });
  for (let session = 0; session < 3; session++) {
    const stats = await open(file, seed);
    for (let n = 0; n < 4; n++) stats.server(protocol, n % 2, serverOf(n)).add("sent", 10 ** session);
    await stats.close();
  }
  return file;
}

const isNumber = (value: unknown) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

/** Errors of the library are an answer; anything else that is thrown is none. */
async function typed<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    expect(error instanceof StatsError, `not an error of the library: ${error instanceof Error ? error.stack : error}`);
    return null;
  }
}

function judge(told: Awaited<ReturnType<typeof read>> | null): void {
  for (const { overall, past, session } of told?.servers ?? []) {
    for (const numbers of [overall, past, session]) {
      expect(Object.values(numbers).every(isNumber), `a sum is told that is none: ${JSON.stringify(numbers)}`);
    }
  }
  for (const { counters } of [...(told?.hours ?? []), ...(told?.sessions ?? []).flatMap(({ servers }) => servers)]) {
    expect(Object.values(counters).every(isNumber), `a number of history is none: ${JSON.stringify(counters)}`);
  }
}

export const fuzzRows: Fuzz = async (order) => {
  const folder = join(order.folder, "rows");
  const from = await base(folder, order.seed);
  const seen = { refused: 0, changed: 0 };
  const found: Found = await checked(order, fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
    const file = join(folder, "changed.db");
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
    copyFileSync(from, file);
    const database = openWithKey(file, driverOf(order.seed));
    for (const sql of changes) {
      try {
        database.exec(sql);
        seen.changed += 1;
      } catch {
        // The schema itself does not allow that: then it can be in no file.
      }
    }
    database.close();
    const told = await typed(() => read(file, order.seed));
    if (told === null) seen.refused += 1;
    judge(told);
    const stats = await open(file, order.seed);
    stats.server(protocol, 1, serverOf(1)).add("sent", 3);
    await typed(() => stats.flush());
    await typed(() => stats.getServersStats());
    await typed(() => stats.deleteUser(0));
    await typed(() => stats.reset({ userId: 1 }));
    await typed(() => stats.close());
    judge(await typed(() => read(file, order.seed)));
  });
  return { ...found, seen };
};

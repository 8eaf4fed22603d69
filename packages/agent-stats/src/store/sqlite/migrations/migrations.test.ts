import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { startChild } from "../../../keep/child.testing.ts";
import { eachHour, eachSum } from "../../contract-support.ts";
import { type DriverName, loadDriver } from "../../sqlcipher/drivers.ts";
import { describeDrivers, temporaryFolder } from "../../sqlcipher/files.testing.ts";
import { sqlcipherReader, sqlcipherStore } from "../../sqlcipher/store.ts";
import type { CountedRow, StatsReader } from "../../store.ts";
import type { SqliteHandle } from "../handle.ts";
import { immediately } from "../handle.ts";
import { openHandle, openHost } from "../host.testing.ts";
import { createSchema, SCHEMA_VERSION, schemaVersion } from "../schema.ts";
import { sqliteStore } from "../store.ts";
import { auditAndReports } from "./audit-and-reports.ts";
import { firstTables } from "./first-tables.ts";

const FIXTURES = join(dirname(fileURLToPath(import.meta.url)), "../../../../fixtures/schema-1");
const KEY = "15".repeat(32);
const NAMES = ["clean", "open"] as const;
const EXPECTED = expected();
const ALL_HOURS = 1_000_000;

/** A copy of a file that schema 1 left, with what it had in its WAL. */
function fixture(name: (typeof NAMES)[number]): string {
  const file = join(temporaryFolder(), "stats.db");
  for (const suffix of ["", "-wal"]) {
    const from = join(FIXTURES, `${name}.db${suffix}`);
    if (existsSync(from)) copyFileSync(from, file + suffix);
  }
  return file;
}

function openRaw(driver: DriverName, file: string): SqliteHandle {
  const { open, beforeKey } = loadDriver(driver);
  const handle = open(file);
  handle.exec(`${beforeKey}; PRAGMA key = "x'${KEY}'"`);
  return handle;
}

function versionOf(driver: DriverName, file: string): number {
  const handle = openRaw(driver, file);
  const version = schemaVersion(handle, "main");
  handle.close();
  return version;
}

async function read(store: StatsReader): Promise<Found> {
  const sums = await store.sums(null);
  const { keys, ...head } = sums;
  return {
    head,
    keys: keys.map(({ past: _past, open: _open, ...key }) => key),
    past: added(eachSum(sums).map(({ past: value, ...of }) => ({ ...of, value }))),
    open: added(eachSum(sums).map(({ open: value, ...of }) => ({ ...of, value }))),
    sessions: await store.sessions(),
    sessionSums: await store.sessionSums(),
    hours: added(eachHour(await store.hours(0, ALL_HOURS))),
  };
}

type Numbers = Readonly<Record<string, number>>;

interface Found extends Readonly<Record<"head" | "keys" | "sessionSums", unknown>> {
  readonly past: Numbers;
  readonly open: Numbers;
  readonly hours: Numbers;
  readonly sessions: readonly { readonly folded: boolean }[];
}

/** What the files held, as the port told it then: one row for each counter. */
function expected(): Record<(typeof NAMES)[number], Found> {
  const told = JSON.parse(readFileSync(join(FIXTURES, "expected.json"), "utf8"));
  const found = NAMES.map((name) => {
    const { sums, sessions, sessionSums, hours } = told[name];
    const { keys, sums: rows, ...head } = sums;
    const named = (of: number) => keys.find(({ key }: { key: number }) => key === of);
    const part = (which: "past" | "open") =>
      added(rows.map((row: Record<string, number>) => ({ ...named(row.key as number), ...row, value: row[which] })));
    return {
      head,
      keys: keys.map(({ key: _, ...key }: { key: number }) => key),
      past: part("past"),
      open: part("open"),
      sessions,
      sessionSums,
      hours: added(hours),
    };
  });
  return Object.fromEntries(NAMES.map((name, i) => [name, found[i]])) as Record<(typeof NAMES)[number], Found>;
}

function added(
  rows: readonly (Omit<CountedRow, "value"> & { readonly value: number; readonly hour?: number })[],
): Numbers {
  const sums: Record<string, number> = {};
  for (const { protocol, userId, server, counter, value, hour } of rows) {
    const name = [...(hour === undefined ? [] : [hour]), protocol, userId, server, counter].join(" ");
    sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

async function readFile(driver: DriverName, file: string) {
  const reader = sqlcipherReader({ file, key: KEY, driver, thread: "same" });
  const found = await read(reader);
  await reader.close();
  return found;
}

/** What everyone counted of each key and counter, wherever it stands. */
function totalsOf({ past, open }: Pick<Found, "past" | "open">): Numbers {
  return Object.fromEntries(Object.entries(past).map(([name, value]) => [name, value + (open[name] ?? 0)]));
}

/** Every table, index, view and trigger, as SQLite tells it. */
function schemaOf(handle: SqliteHandle): unknown[] {
  return handle.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all([]);
}

describeDrivers("files of schema 1", (driver) => {
  describe.each(NAMES)("%s.db", (name) => {
    test("is read as it stands, and is not changed by that", async () => {
      const file = fixture(name);
      const before = readFileSync(file);
      const reader = sqlcipherReader({ file, key: KEY, driver, thread: "same" });
      expect(await read(reader)).toEqual(EXPECTED[name]);
      expect([await reader.audit(), await reader.reportKeys()]).toEqual([[], []]);
      // Its WAL is left alone as well: while one is open, nobody has moved it into the file.
      expect(readFileSync(file).equals(before)).toBe(true);
      await reader.close();
      expect(versionOf(driver, file)).toBe(1);
    });

    test("is brought to this schema by a writer, and every number is as it was", async () => {
      const file = fixture(name);
      const store = sqlcipherStore({ file, key: KEY, driver, thread: "same" });
      expect(await read(store)).toEqual(EXPECTED[name]);
      const open = EXPECTED[name].sessions.filter(({ folded }) => !folded).length;
      expect(await store.fold({ session: null, at: 7 })).toBe(open);
      expect(totalsOf(await read(store))).toEqual(totalsOf(EXPECTED[name]));
      expect((await store.audit()).map(({ at, what }) => [at, what])).toEqual(Array(open).fill([7, "fold"]));
      await store.close();
      expect(versionOf(driver, file)).toBe(SCHEMA_VERSION);
    });

    test("becomes the same as a file that this version makes", async () => {
      const file = fixture(name);
      const old = openRaw(driver, file);
      createSchema(old, "main");
      const made = openRaw(driver, join(temporaryFolder(), "new.db"));
      createSchema(made, "main");
      expect(schemaOf(old)).toEqual(schemaOf(made));
      old.close();
      made.close();
    });
  });

  test("killed at any statement, the file is of one schema or the other, and whole", async () => {
    const versions: number[] = [];
    for (let last = 1; ; last++) {
      const file = fixture("open");
      const program = `
        const { createRequire } = await import("node:module");
        const loaded = createRequire(import.meta.url)(driver);
        const { prototype } = loaded.default ?? loaded;
        let statements = 0;
        for (const method of ["exec", "prepare"]) {
          const inner = prototype[method];
          prototype[method] = function (...args) {
            if (++statements === ${last}) process.kill(process.pid, "SIGKILL");
            return inner.apply(this, args);
          };
        }
        await sqlcipherStore({ file, driver, key: "${KEY}", thread: "same" }).sums(null);`;
      const { code, signal } = await startChild(program, file, driver).ended;
      versions.push(versionOf(driver, file));
      expect(await readFile(driver, file), `killed at statement ${last}`).toEqual(EXPECTED.open);
      if (signal === "SIGKILL") continue;
      expect(code).toBe(0);
      break;
    }
    expect(versions).toEqual([...versions].sort());
    expect([versions[0], versions.at(-1)]).toEqual([1, SCHEMA_VERSION]);
    expect(versions.filter((version) => version === 1).length).toBeGreaterThan(10);
  });

  test("control: what a kill would leave without the transaction, nobody could open", () => {
    const file = fixture("open");
    const handle = openRaw(driver, file);
    auditAndReports(handle, "main");
    expect(() => createSchema(handle, "main")).toThrow("already exists");
    handle.close();
    expect(versionOf(driver, file)).toBe(1);
  });

  test("opened by several processes at once, it is brought there once and folded once", async () => {
    const file = fixture("open");
    const at = Date.now() + 500;
    const program = `while (Date.now() < ${at});
      const stats = await openAgentStats({ store: sqlcipherStore({ file, driver, key: "${KEY}" }), protocols: [smp] });
      if (stats.problem) throw stats.problem;
      await stats.close();`;
    const children = [1, 2, 3, 4].map(() => startChild(program, file, driver).ended);
    for (const { code, stderr } of await Promise.all(children)) expect([code, stderr]).toEqual([0, ""]);
    const reader = sqlcipherReader({ file, key: KEY, driver, thread: "same" });
    expect(totalsOf(await read(reader))).toEqual(totalsOf(EXPECTED.open));
    const folded = (await reader.audit()).flatMap(({ what, of }) => (what === "fold" ? [of] : []));
    expect(folded).toEqual(expect.arrayContaining([3, 4, 5]));
    expect(new Set(folded).size).toBe(folded.length);
    await reader.close();
  });

  test("a process of schema 1 that has it open goes on: what it prepared before, it may run after", async () => {
    const file = fixture("open");
    const old = openRaw(driver, file);
    // What schema 1 runs in a save, in a fold and in a deletion, prepared before the file is of another schema.
    const [save, fold, past, clear] = [
      "UPDATE agent_stats_count SET value = value + 1000 WHERE session_id = 4 AND counter = 'sent'",
      "UPDATE agent_stats_session SET folded = 1, how = COALESCE(how, 'killed') WHERE session_id = 4 AND folded = 0",
      `INSERT INTO agent_stats_past (key_id, counter, value)
        SELECT key_id, counter, SUM(value) FROM agent_stats_count WHERE session_id = 4 GROUP BY key_id, counter
        ON CONFLICT (key_id, counter) DO UPDATE SET value = MIN(value + excluded.value, 9007199254740991)`,
      "INSERT INTO agent_stats_tombstone (what, user_id) VALUES ('delete', '77')",
    ].map((sql) => old.prepare(sql));
    const before = totalsOf(EXPECTED.open);
    const store = sqlcipherStore({ file, key: KEY, driver, thread: "same" });
    const { session, seen } = await store.begin({ startedAt: 1, flushEveryMs: 5_000, seen: null });
    expect(versionOf(driver, file)).toBe(SCHEMA_VERSION);
    for (const statement of [save, fold, past, clear]) expect(statement?.run([]).changes).toBeGreaterThan(0);
    // Session 4 is in the past: this version does not add it again.
    expect(await store.fold()).toBe(2);
    const empty = { session, save: 1, seen, at: 2, hour: 1, keys: [], counters: [], cells: new Float64Array(0) };
    expect(await store.save(empty)).toMatchObject({ outcome: "cleared", clears: [{ scope: { userId: "77" } }] });
    const sent = (counter: string) => counter.endsWith("sent");
    const after = totalsOf(await read(store));
    for (const [name, value] of Object.entries(before)) {
      const more = sent(name) && (await countedBy(store, 4)).has(name) ? 1_000 : 0;
      expect([name, after[name]]).toEqual([name, value + more]);
    }
    await store.close();
    old.close();
  });
});

async function countedBy(store: StatsReader, session: number): Promise<Set<string>> {
  const rows = (await store.sessionSums()).filter((row) => row.session === session);
  return new Set(rows.map(({ protocol, userId, server, counter }) => `${protocol} ${userId} ${server} ${counter}`));
}

describeDrivers("a host's own database of schema 1", (driver) => {
  test("keeps its trigger, which from here says what it did", async () => {
    const host = openHost(driver);
    immediately(host.handle, () => firstTables(host.handle, "main"));
    host.handle.exec(TRIGGER_OF_SCHEMA_1);
    const store = sqliteStore(host.handle);
    expect(await store.audit()).toEqual([]);
    store.installUserTrigger({ table: "users", column: "user_id" });
    host.handle.exec("DELETE FROM users WHERE user_id = 2");
    const [line, ...others] = await store.audit();
    expect([line, others]).toMatchObject([{ what: "delete", session: null, of: "user" }, []]);
    expect(Math.abs((line?.at ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(host.value("SELECT COUNT(*) FROM agent_stats_tombstone WHERE user_id = '2'")).toBe(1);
    const fresh = openHost(driver);
    sqliteStore(fresh.handle).installUserTrigger({ table: "users", column: "user_id" });
    const words = (of: typeof host) =>
      String(of.value("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")).split(/\s+/);
    expect(words(host)).toEqual(words(fresh));
    await store.close();
  });

  test("in an attached file too", async () => {
    const handle = openHandle(driver, join(temporaryFolder(), "chat.db"));
    handle.exec(`ATTACH '${join(temporaryFolder(), "stats.db")}' AS attached KEY ''`);
    handle.exec("CREATE TABLE attached.users (user_id INTEGER PRIMARY KEY)");
    immediately(handle, () => firstTables(handle, "attached"));
    handle.exec(TRIGGER_OF_SCHEMA_1.replace("agent_stats_user_deleted", "attached.agent_stats_user_deleted"));
    const store = sqliteStore(handle, { schema: "attached", allowPlaintext: true });
    expect(await store.addReportKey({ made: 1, key: new Uint8Array(32), caseId: null })).toBe(1);
    handle.exec("INSERT INTO attached.users VALUES (1); DELETE FROM attached.users");
    expect((await store.audit()).map(({ what, of }) => [what, of])).toEqual([["delete", "user"]]);
    await store.close();
  });
});

/** As schema 1 installed it. */
const TRIGGER_OF_SCHEMA_1 = `
  CREATE TRIGGER IF NOT EXISTS agent_stats_user_deleted AFTER DELETE ON "users" BEGIN
      DELETE FROM agent_stats_count WHERE key_id IN (SELECT key_id FROM agent_stats_key WHERE user_id = CAST(CASE WHEN typeof(OLD."user_id") = 'real' AND OLD."user_id" = CAST(OLD."user_id" AS INTEGER) THEN CAST(OLD."user_id" AS INTEGER) ELSE OLD."user_id" END AS TEXT));
      DELETE FROM agent_stats_past WHERE key_id IN (SELECT key_id FROM agent_stats_key WHERE user_id = CAST(CASE WHEN typeof(OLD."user_id") = 'real' AND OLD."user_id" = CAST(OLD."user_id" AS INTEGER) THEN CAST(OLD."user_id" AS INTEGER) ELSE OLD."user_id" END AS TEXT));
      DELETE FROM agent_stats_key WHERE user_id = CAST(CASE WHEN typeof(OLD."user_id") = 'real' AND OLD."user_id" = CAST(OLD."user_id" AS INTEGER) THEN CAST(OLD."user_id" AS INTEGER) ELSE OLD."user_id" END AS TEXT);
      INSERT INTO agent_stats_tombstone (what, user_id) VALUES ('delete', CAST(CASE WHEN typeof(OLD."user_id") = 'real' AND OLD."user_id" = CAST(OLD."user_id" AS INTEGER) THEN CAST(OLD."user_id" AS INTEGER) ELSE OLD."user_id" END AS TEXT));
      UPDATE agent_stats_meta SET value = 1 WHERE name = 'erase_pending';
    END`;

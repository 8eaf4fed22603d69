/** What is read: every row of every session, in order, and no number that cannot have been counted. */
import { describe, expect, test } from "vitest";
import { eachHour } from "../contract-support.ts";
import { describeDrivers } from "../sqlcipher/files.testing.ts";
import type { SaveBatch } from "../store.ts";
import { openHost } from "./host.testing.ts";
import { sqliteStore } from "./store.ts";

const HOUR = 500_000;
const AT = HOUR * 3_600_000;
const COUNTERS = ["sent", "received", "errors"];

describeDrivers("reading", (driver) => {
  function setUp() {
    const host = openHost(driver);
    const store = sqliteStore(host.handle);
    let at = AT;
    const begin = async () => {
      at += 1_000;
      return (await store.begin({ startedAt: at, flushEveryMs: 5_000, seen: null })).session;
    };
    let saves = 0;
    /** Saves of servers, by number, what their counters hold in that hour. */
    const save = (
      session: number,
      hour: number,
      counts: Readonly<Record<number, Readonly<Record<string, number>>>>,
      more: Partial<SaveBatch> = {},
    ) => {
      const rows = Object.keys(counts).map(Number);
      const keys = rows.map((row) => [row, "smp", String(row % 3), `smp://${row}`] as const);
      const cells = rows.flatMap((row) =>
        Object.entries(counts[row] ?? {}).flatMap(([name, value]) => [row, COUNTERS.indexOf(name), value]),
      );
      saves += 1;
      const head = { session, save: saves, seen: 0, at, hour, keys, counters: COUNTERS };
      return store.save({ ...head, cells: Float64Array.from(cells), ...more });
    };
    return { host, store, begin, save };
  }

  test("sums are those of the past and of open sessions, key by key, and each key is told once", async () => {
    const { store, begin, save } = setUp();
    const first = await begin();
    await save(first, HOUR, { 1: { sent: 3, errors: 1 }, 2: { received: 5 } }, { ending: "close" });
    await store.fold();
    const second = await begin();
    await save(second, HOUR, { 1: { sent: 10, received: 20 }, 3: { sent: 7 } });
    await save(second, HOUR + 1, { 1: { sent: 1 } });
    const { keys, closed, lastSaved, trackedSince } = await store.sums(null);
    const key = (n: number, since: number) => {
      return { protocol: "smp", userId: String(n % 3), server: `smp://${n}`, trackedSince: AT + since };
    };
    expect(keys).toEqual([
      { ...key(1, 1_000), past: { sent: 3, errors: 1 }, open: { sent: 11, received: 20 } },
      { ...key(2, 1_000), past: { received: 5 }, open: {} },
      { ...key(3, 2_000), past: {}, open: { sent: 7 } },
    ]);
    expect([closed, lastSaved, trackedSince]).toEqual([false, AT + 2_000, AT + 1_000]);
    const own = await store.sums({ session: second, seen: 0 });
    expect([own.closed, own.keys.map(({ open }) => open)]).toEqual([false, [{}, {}, {}]]);
    expect((await store.sums({ session: first, seen: 0 })).closed).toBe(true);
    await store.close();
  });

  test("of thousands of keys none is left out or told twice", async () => {
    const { store, begin, save } = setUp();
    const session = await begin();
    const KEYS = 4_500;
    await save(session, HOUR, Object.fromEntries(Array.from({ length: KEYS }, (_, i) => [i, { sent: i + 1 }])));
    const both = async () => {
      const { keys } = await store.sums(null);
      const sums = keys.flatMap(({ past, open }) => [...Object.values(past), ...Object.values(open)]);
      return [keys.length, new Set(keys.map(({ server }) => server)).size, sums.reduce((a, b) => a + b, 0)];
    };
    const all = [KEYS, KEYS, (KEYS * (KEYS + 1)) / 2];
    expect(await both()).toEqual(all);
    await save(session, HOUR, {}, { ending: "close" });
    await store.fold();
    expect(await both()).toEqual(all);
    await store.close();
  });

  test("hours hold what every session counted in them, also where two overlap, and no others do", async () => {
    const { store, begin, save } = setUp();
    const [first, second] = [await begin(), await begin()];
    await save(first, HOUR, { 2: { sent: 1 }, 1: { sent: 2, received: 3 } });
    await save(first, HOUR + 9, { 1: { sent: 4 } });
    await save(second, HOUR, { 1: { received: 30, errors: 5 }, 3: { sent: 6 } });
    await save(second, HOUR + 3, { 2: { sent: 7 } });
    const row = (hour: number, n: number, counter: string, value: number) => {
      return { hour: HOUR + hour, protocol: "smp", userId: String(n % 3), server: `smp://${n}`, counter, value };
    };
    const all = [
      ...[row(0, 1, "errors", 5), row(0, 1, "received", 33), row(0, 1, "sent", 2), row(0, 2, "sent", 1)],
      ...[row(0, 3, "sent", 6), row(3, 2, "sent", 7), row(9, 1, "sent", 4)],
    ];
    const within = async (from: number, to: number) => {
      const rows = await store.hours(from, to);
      return eachHour(rows).sort((a, b) => (words(a) < words(b) ? -1 : 1));
    };
    const words = ({ hour, server, counter }: (typeof all)[number]) => `${hour} ${server} ${counter}`;
    expect(await within(HOUR, HOUR + 9)).toEqual(all);
    expect(await within(-5, HOUR + 99)).toEqual(all);
    expect(await within(HOUR + 1, HOUR + 8)).toEqual([row(3, 2, "sent", 7)]);
    expect(await within(HOUR + 9, HOUR + 9)).toEqual([row(9, 1, "sent", 4)]);
    expect([await within(HOUR + 4, HOUR + 8), await within(0, 5)]).toEqual([[], []]);
    await store.close();
  });

  test("sessions are told with their lives, and whether they are in the past", async () => {
    const { store, begin, save } = setUp();
    expect((await store.sums(null)).lastSaved).toBeNull();
    const first = await begin();
    await save(first, HOUR, { 1: { sent: 1 } }, { ending: "exit" });
    await store.fold();
    const second = await begin();
    const told = { flushEveryMs: 5_000 };
    const one = AT + 1_000;
    const two = AT + 2_000;
    expect(await store.sessions()).toEqual([
      { ...told, session: first, started: one, lastSaved: one, ended: one, how: "exit", folded: true },
      { ...told, session: second, started: two, lastSaved: two, ended: null, how: null, folded: false },
    ]);
    await store.close();
  });

  describe("a number that cannot have been counted", () => {
    test.each(["-1", "0.25", "9007199254740992"])("%s is damage, for every reader", async (value) => {
      for (const table of ["count", "past"]) {
        const { host, store, begin, save } = setUp();
        const session = await begin();
        await save(session, HOUR, { 1: { sent: 3 } }, { agent: "a", ending: "close" });
        await store.fold();
        const next = await begin();
        await save(next, HOUR, { 1: { sent: 3 } }, { agent: "a" });
        await store.sums(null);
        host.handle.exec(`UPDATE agent_stats_${table} SET value = ${value}`);
        const ofSessions = [() => store.hours(0, HOUR), () => store.sessionSums(), () => store.counted("a")];
        for (const read of [() => store.sums(null), ...(table === "past" ? [] : ofSessions)]) {
          await expect(read()).rejects.toMatchObject({ code: "STATS_DAMAGED" });
        }
        await store.close();
      }
    });

    test.each([
      ["1.5", "1.5"],
      ["-1", "3"],
      ["'many'", "3"],
      ["x'05'", "3"],
    ])("%s is not hidden by %s in another hour", async (value, other) => {
      const { host, store, begin, save } = setUp();
      const session = await begin();
      for (const hour of [HOUR, HOUR + 1]) await save(session, hour, { 1: { sent: 3 } }, { agent: "a" });
      host.handle.exec(`UPDATE agent_stats_count SET value = CASE hour WHEN ${HOUR} THEN ${value} ELSE ${other} END`);
      for (const read of [() => store.sums(null), () => store.sessionSums(), () => store.counted("a")]) {
        await expect(read()).rejects.toMatchObject({ code: "STATS_DAMAGED" });
      }
      await store.close();
    });

    test("control: zero and the largest exact number can", async () => {
      const { host, store, begin, save } = setUp();
      await save(await begin(), HOUR, { 1: { sent: 3 } }, { agent: "a" });
      for (const value of [0, Number.MAX_SAFE_INTEGER]) {
        host.handle.exec(`UPDATE agent_stats_count SET value = ${value}`);
        // What is zero is left out.
        const counters = value === 0 ? {} : { sent: value };
        expect((await store.sums(null)).keys.map(({ open }) => open)).toEqual([counters]);
        expect((await store.hours(0, HOUR)).flatMap((each) => Object.entries(each.counters))).toEqual(
          Object.entries(counters),
        );
        for (const rows of [await store.sessionSums(), await store.counted("a")]) {
          expect(rows.map((each) => each.value)).toEqual([value]);
        }
      }
      await store.close();
    });
  });

  test("a line says by its column whether a session was folded or a scope covered", async () => {
    const { host, store, begin, save } = setUp();
    const session = await begin();
    await save(session, HOUR, { 1: { sent: 1 } }, { ending: "close" });
    await store.fold({ session: null, at: AT });
    await store.reset({ userId: "1" }, { session: null, seen: 0, at: AT });
    expect(host.all("SELECT what, folded, scope FROM agent_stats_audit ORDER BY audit_id")).toEqual([
      { what: "fold", folded: session, scope: null },
      { what: "reset", folded: null, scope: "user" },
    ]);
    await store.close();
  });

  test("a database tells itself from others, and a later one is refused as it is", async () => {
    const [one, other] = [setUp(), setUp()];
    const salts = [];
    for (const { host, store } of [one, other]) {
      await store.sessions();
      salts.push(Number(host.value("SELECT value FROM agent_stats_meta WHERE name = 'salt'")));
    }
    expect(new Set([...salts, 0]).size).toBe(3);
    await one.store.close();
    one.host.handle.exec("UPDATE agent_stats_meta SET value = 99 WHERE name = 'schema_version'");
    const refused = { code: "STATS_NEWER_SCHEMA", message: expect.stringContaining("schema 99") };
    await expect(sqliteStore(one.host.handle).sums(null)).rejects.toMatchObject(refused);
    await expect(one.store.reset({}, { session: null, seen: 0, at: 0 })).rejects.toMatchObject(refused);
    expect(one.host.value("SELECT value FROM agent_stats_meta WHERE name = 'schema_version'")).toBe(99);
    await other.store.close();
  });
});

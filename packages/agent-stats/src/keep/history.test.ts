/** History is pruned by the clock, which is set here; no sum depends on it. */
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { DRIVER_NAMES, whyNot } from "../store/sqlcipher/drivers.ts";
import { KEY, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { sqlcipherStore } from "../store/sqlcipher/store.ts";
import type { StatsStore } from "../store/store.ts";
import { overall } from "./mirror.testing.ts";
import { type AgentStats, type OpenOptions, openAgentStats } from "./open.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BEGIN = new Date("2026-03-10T12:00:00Z").getTime();

afterEach(() => void vi.useRealTimers());

function clockAt(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(ms);
}

/** Every database that prunes in its own way. */
const DATABASES: Record<string, () => () => StatsStore> = {
  memory() {
    const database = new MemoryDatabase();
    return () => memoryStore(database);
  },
};
for (const driver of DRIVER_NAMES) {
  const reason = whyNot(driver);
  if (reason !== null) console.log(`skipped: history on ${driver}: ${reason}`);
  else {
    DATABASES[driver] = () => {
      const file = join(temporaryFolder(), "stats.db");
      return () => sqlcipherStore({ file, key: KEY, driver, thread: "same" });
    };
  }
}

const open = (store: StatsStore, options: Partial<OpenOptions> = {}) =>
  openAgentStats({ protocols: [smp], store, flushEvery: HOUR, onProblem: () => {}, ...options });
const count = (stats: AgentStats, n: number) => stats.server(smp, 1, "smp://a").add("sent", n);
const sum = async (stats: AgentStats) => overall(await stats.getServersStats())["1 smp://a"]?.sent ?? 0;
const ALL = { from: new Date(0), to: new Date("2100-01-01") };
const timeline = async (stats: AgentStats) =>
  (await stats.getTimeline(ALL)).map(({ start, counters }) => [(start.getTime() - BEGIN) / HOUR, counters.sent]);

/** A new database of that kind: each call of the result is another process. */
const databaseOf = (name: string) => (DATABASES[name] as () => () => StatsStore)();

describe.each(Object.keys(DATABASES))("history in %s", (name) => {
  test("goes after so many days, hour by hour, and sessions with it; the sum stays", async () => {
    clockAt(BEGIN);
    const store = databaseOf(name);
    for (let day = 0; day < 6; day++) {
      clockAt(BEGIN + day * DAY);
      const stats = await open(store(), { keepHistory: 3 });
      count(stats, 10 ** day);
      await stats.close();
    }
    const stats = await open(store(), { keepHistory: 3 });
    expect(await timeline(stats)).toEqual([2, 3, 4, 5].map((day) => [day * 24, 10 ** day]));
    expect((await stats.getSessions()).length).toBe(5);
    expect(await sum(stats)).toBe(111_111);
    const { servers } = await stats.getServersStats();
    expect(servers[0]?.past).toEqual({ sent: 111_111 });
    await stats.close();
  });

  test("goes once a day in a session that lasts, whose own sum stays", async () => {
    clockAt(BEGIN);
    const stats = await open(databaseOf(name)(), { keepHistory: 1 });
    for (let hour = 0; hour < 72; hour += 12) {
      clockAt(BEGIN + hour * HOUR);
      count(stats, 1);
      await stats.flush();
    }
    const kept = await timeline(stats);
    expect(kept.length).toBeLessThan(6);
    expect(kept.at(-1)).toEqual([60, 1]);
    expect(await sum(stats)).toBe(6);
    expect((await stats.getServersStats()).servers[0]?.session).toEqual({ sent: 6 });
    const [session] = await stats.getSessions();
    expect(session?.servers[0]?.counters).toEqual({ sent: 6 });
    await stats.close();
  });

  test.each([
    ["for a while, in a session", false, 3_650],
    ["for a while, over a restart", true, 3_650],
    ["by a month too many, over a restart", true, 30],
  ])("survives a clock that shows another year %s", async (_, restarts, days) => {
    const store = databaseOf(name);
    const restart = async (stats: AgentStats) => {
      if (!restarts) return stats;
      await stats.close();
      return open(store(), { keepHistory: 90 });
    };
    clockAt(BEGIN - 80 * DAY);
    const first = await open(store(), { keepHistory: 90 });
    count(first, 1);
    await first.close();
    clockAt(BEGIN);
    let stats = await open(store(), { keepHistory: 90 });
    count(stats, 10);
    await stats.flush();
    clockAt(BEGIN + days * DAY);
    stats = await restart(stats);
    count(stats, 100);
    await stats.flush();
    stats = await restart(stats);
    clockAt(BEGIN + HOUR);
    stats = await restart(stats);
    // Finds the clock set back: what is counted from here on is in the hour that it shows.
    await stats.flush();
    count(stats, 1_000);
    await stats.flush();
    expect((await timeline(stats)).map(([, n]) => n)).toEqual([1, 10, 1_000, 100]);
    expect(await sum(stats)).toBe(1_111);
    await stats.close();
    // What the clock has shown for more than a day is believed.
    for (const later of [101, 102]) {
      clockAt(BEGIN + later * DAY);
      const next = await open(store(), { keepHistory: 90 });
      count(next, 10_000);
      await next.close();
    }
    const next = await open(store(), { keepHistory: 90 });
    expect((await timeline(next)).filter(([hour]) => (hour as number) < 101 * 24 - 90 * 24)).toEqual([]);
    expect(await sum(next)).toBe(21_111);
    await next.close();
  });

  test("may be none at all", async () => {
    clockAt(BEGIN);
    const store = databaseOf(name);
    const stats = await open(store(), { keepHistory: 0 });
    count(stats, 5);
    await stats.close();
    clockAt(BEGIN + HOUR);
    const next = await open(store(), { keepHistory: 0 });
    expect([await timeline(next), await sum(next)]).toEqual([[], 5]);
    await next.close();
  });

  test("of another process that lives is not pruned away from under what it has yet to save", async () => {
    clockAt(BEGIN);
    const store = databaseOf(name);
    const stats = await open(store(), { keepHistory: 0 });
    count(stats, 10);
    await stats.flush();
    count(stats, 2);
    // The hour is over; another process starts before this one has saved the rest of it.
    clockAt(BEGIN + HOUR);
    const other = await open(store(), { keepHistory: 0 });
    await stats.flush();
    expect(await sum(stats)).toBe(12);
    expect(await sum(other)).toBe(12);
    await stats.close();
    await other.close();
    const next = await open(store(), { keepHistory: 0 });
    expect(await sum(next)).toBe(12);
    await next.close();
  });

  test("of any length never changes a sum, whatever two processes do and however time passes", async () => {
    const step = fc.record({
      who: fc.nat(1),
      what: fc.constantFrom("count", "count", "count", "flush", "flush", "close", "kill"),
      n: fc.nat(9),
      laterHours: fc.constantFrom(0, 0, 0, 1, 1, 5, 24, 100),
    });
    const script = fc.array(step, { maxLength: 40, size: "max" });
    await fc.assert(
      fc.asyncProperty(script, fc.constantFrom(0, 1, 4), async (steps, keepHistory) => {
        const database = databaseOf(name);
        let [now, saved] = [BEGIN, 0];
        const start = async () => {
          const store = database();
          return { store, stats: await open(store, { keepHistory }), unsaved: 0 };
        };
        clockAt(now);
        const running = [await start(), await start()];
        for (const { who, what, n, laterHours } of steps) {
          now += laterHours * HOUR;
          clockAt(now);
          const mine = running[who] as Awaited<ReturnType<typeof start>>;
          if (what === "count") {
            count(mine.stats, n);
            mine.unsaved += n;
            continue;
          }
          if (what === "kill") await mine.store.close();
          else await (what === "flush" ? mine.stats.flush() : mine.stats.close());
          if (what !== "kill") saved += mine.unsaved;
          mine.unsaved = 0;
          if (what !== "flush") running[who] = await start();
        }
        for (const { stats, unsaved } of running) expect(await sum(stats)).toBe(saved + unsaved);
        for (const { store } of running) await store.close();
        const last = await start();
        expect(await sum(last.stats)).toBe(saved);
        await last.stats.close();
      }),
      { numRuns: name === "memory" ? 300 : 15 },
    );
  });
});

test("a length of history that is none is refused, and so is an interval", async () => {
  for (const keepHistory of [-1, Number.NaN]) {
    await expect(openAgentStats({ store: memoryStore(), keepHistory })).rejects.toThrow(RangeError);
  }
  for (const flushEvery of [0, 49, Number.NaN, Number.POSITIVE_INFINITY]) {
    await expect(openAgentStats({ store: memoryStore(), flushEvery })).rejects.toThrow(RangeError);
  }
  const stats = await openAgentStats({ store: memoryStore(), keepHistory: Number.POSITIVE_INFINITY });
  expect(stats.problem).toBeNull();
  await stats.close();
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { eachSum } from "../store/contract-support.ts";
import type { StatsErrorCode } from "../store/errors.ts";
import { memoryStore } from "../store/memory.ts";
import { keepStats, openAgentStats } from "./open.ts";
import { gate, watched } from "./watched.testing.ts";

const smp = defineProtocol("smp", { sent: "messages sent", errors: { help: "messages refused", error: true } });
const FLUSH_EVERY = 1_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] }));
afterEach(() => void vi.useRealTimers());

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const BUSY = { code: "STATS_BUSY", when: "before" } as const;

async function opened(flushEvery = FLUSH_EVERY) {
  const inner = memoryStore();
  const watch = watched(inner);
  const problems: (StatsErrorCode | null)[] = [];
  const onProblem = (problem: { code: StatsErrorCode } | null) => void problems.push(problem?.code ?? null);
  const stats = await openAgentStats({ protocols: [smp], store: watch.store, flushEvery, onProblem });
  // It is ready before it has tidied up.
  await pass(0);
  const saved = async () =>
    eachSum(await inner.sums(null)).map(({ counter, past, open }) => ({ [counter]: past + open }));
  return { watch, stats, problems, saved, server: stats.server(smp, 1, "smp://a") };
}

/** When the store was asked, in flush intervals since it first was. */
function intervals(times: readonly number[]): number[] {
  return times.map((at) => (at - (times[0] ?? 0)) / FLUSH_EVERY);
}

describe("a store that fails", () => {
  test("is told of once per kind of failure, and with null when it works again", async () => {
    const { watch, stats, problems, server } = await opened();
    server.add("sent", 3);
    watch.fails = BUSY;
    await pass(20 * FLUSH_EVERY);
    expect(watch.saves.length, "it was tried more than once").toBeGreaterThan(3);
    expect([problems, stats.problem?.code]).toEqual([["STATS_BUSY"], "STATS_BUSY"]);
    watch.fails = { code: "STATS_DISK_FULL", when: "before" };
    await pass(100 * FLUSH_EVERY);
    expect(problems).toEqual(["STATS_BUSY", "STATS_DISK_FULL"]);
    watch.fails = null;
    await pass(100 * FLUSH_EVERY);
    expect([problems, stats.problem]).toEqual([["STATS_BUSY", "STATS_DISK_FULL", null], null]);
    watch.fails = BUSY;
    server.add("sent");
    await pass(FLUSH_EVERY);
    expect(problems.at(-1), "a new one is news").toBe("STATS_BUSY");
  });

  test("is tried again after longer and longer waits, of at most a minute, and then as before", async () => {
    const { watch, server } = await opened();
    watch.fails = BUSY;
    watch.times.length = 0;
    server.add("sent", 3);
    await pass(200 * FLUSH_EVERY);
    expect(intervals(watch.times)).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
    watch.fails = null;
    await pass(60_000);
    watch.times.length = 0;
    for (let i = 0; i < 3; i++) {
      server.add("sent");
      await pass(FLUSH_EVERY);
    }
    expect(intervals(watch.times)).toEqual([0, 1, 2]);
  });

  test("loses nothing, whenever it fails: before it did anything, or after it did it all", async () => {
    for (const when of ["before", "after"] as const) {
      const { watch, stats, server, saved } = await opened();
      server.add("sent", 3);
      watch.fails = { ...BUSY, when };
      await pass(FLUSH_EVERY);
      server.add("sent", 4);
      server.add("errors");
      await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_BUSY" });
      expect(await saved(), "control").toEqual(when === "before" ? [] : [{ sent: 3 }]);
      server.add("sent", 5);
      watch.fails = null;
      await pass(60_000);
      expect(await saved(), when).toEqual([{ sent: 12 }, { errors: 1 }]);
      await stats.close();
      expect((await stats.recorder.getServersStats()).servers).toMatchObject([{ session: { sent: 12, errors: 1 } }]);
    }
  });

  test("does not keep the host from opening, counting and looking at what this session counted", async () => {
    const watch = watched();
    watch.fails = BUSY;
    const problems: unknown[] = [];
    const onProblem = (problem: unknown) => void problems.push(problem);
    const stats = await openAgentStats({ protocols: [smp], store: watch.store, flushEvery: FLUSH_EVERY, onProblem });
    stats.server(smp, 1, "smp://a").add("sent", 3);
    await expect(stats.getServersStats()).rejects.toMatchObject({ code: "STATS_BUSY" });
    await expect(stats.getSessions()).rejects.toMatchObject({ code: "STATS_BUSY" });
    expect(stats.recorder.getServersStats().servers).toMatchObject([{ session: { sent: 3 } }]);
    expect(problems).toHaveLength(1);
    await expect(stats.close()).rejects.toMatchObject({ code: "STATS_BUSY" });
    await expect(stats.close(), "nothing was saved").rejects.toMatchObject({ code: "STATS_BUSY" });
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_CLOSED" });
    await expect(stats.getServersStats()).rejects.toMatchObject({ code: "STATS_CLOSED" });
    stats.server(smp, 1, "smp://a").add("sent", 3);
    expect(vi.getTimerCount(), "nothing is tried any more").toBe(0);
  });

  test("that works again for a reader is saved to within the flush interval", async () => {
    const { watch, stats, problems, server, saved } = await opened();
    watch.fails = BUSY;
    server.add("sent", 3);
    await pass(62 * FLUSH_EVERY);
    watch.fails = null;
    await stats.getServersStats();
    expect(problems).toEqual(["STATS_BUSY", null]);
    await pass(FLUSH_EVERY);
    expect(await saved()).toEqual([{ sent: 3 }]);
  });

  test("is not waited for longer because a host looks often", async () => {
    const { watch, stats, problems, server } = await opened();
    watch.fails = BUSY;
    server.add("sent", 3);
    for (let i = 0; i < 100; i++) {
      await stats.getServersStats().catch(() => {});
      await pass(10);
    }
    watch.fails = null;
    await pass(5 * FLUSH_EVERY);
    expect(problems).toEqual(["STATS_BUSY", null]);
  });

  test("that throws something of its own is told in this library's words, with the cause", async () => {
    const { watch, stats, server } = await opened();
    const cause = new TypeError("the store's own fault");
    watch.until = Promise.reject(cause);
    server.add("sent");
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_STORE_FAILED", cause });
    watch.until = null;
    await stats.flush();
    expect(stats.problem).toBeNull();
  });
});

describe("whoever is told", () => {
  test("may throw", async () => {
    const watch = watched();
    const onProblem = () => {
      throw new Error("the host's own fault");
    };
    const stats = await openAgentStats({ protocols: [smp], store: watch.store, flushEvery: FLUSH_EVERY, onProblem });
    stats.server(smp, 1, "smp://a").add("sent", 3);
    watch.fails = BUSY;
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_BUSY" });
    watch.fails = null;
    await pass(FLUSH_EVERY);
    expect([watch.saves.at(-1)?.counts, stats.problem]).toEqual([{ "1 smp://a sent": 3 }, null]);
  });

  test("may count and flush", async () => {
    const watch = watched();
    const stats = await openAgentStats({
      protocols: [smp],
      store: watch.store,
      flushEvery: FLUSH_EVERY,
      onProblem: () => {
        stats.server(smp, 1, "smp://a").add("errors");
        void stats.flush().catch(() => {});
      },
    });
    stats.server(smp, 1, "smp://a").add("sent", 3);
    watch.fails = BUSY;
    await pass(FLUSH_EVERY);
    watch.fails = null;
    await pass(10 * FLUSH_EVERY);
    await stats.flush();
    expect(watch.saves.at(-1)?.counts["1 smp://a errors"]).toBe(2);
  });

  test("is the process, where the host says nothing: a warning, once, without a name in it", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const watch = watched();
    watch.fails = { code: "STATS_DISK_FULL", when: "before" };
    const stats = await openAgentStats({ protocols: [smp], store: watch.store, flushEvery: FLUSH_EVERY });
    await pass(20 * FLUSH_EVERY);
    watch.fails = null;
    await pass(60_000);
    await stats.close();
    expect(warned.mock.calls).toEqual([
      ["It fails on demand.", { type: "AgentStatsWarning", code: "STATS_DISK_FULL" }],
    ]);
    warned.mockRestore();
  });
});

test.each([0, 49, -1, Number.NaN, Number.POSITIVE_INFINITY, "5000"])(
  "a flush interval of %s is refused",
  async (given) => {
    const opening = openAgentStats({ store: memoryStore(), flushEvery: given as number });
    await expect(opening).rejects.toThrow(RangeError);
  },
);

test("close saves what was counted until it was called, waits for what is under way, and ends the session", async () => {
  const { watch, stats, server } = await opened();
  const { open, pass: go } = gate();
  watch.until = open;
  server.add("sent", 3);
  const flushed = stats.flush();
  await pass(1);
  server.add("sent", 4);
  const closed = stats.close();
  go();
  await Promise.all([flushed, closed]);
  expect(watch.saves.map(({ counts }) => counts)).toEqual([{ "1 smp://a sent": 3 }, { "1 smp://a sent": 7 }]);
  expect(watch.calls.at(-1)).toBe("close");
  server.add("sent", 1);
  await pass(60_000);
  expect([watch.saves.length, vi.getTimerCount()]).toEqual([2, 0]);
});

test.each(["before", "after"] as const)(
  "closed again when its last save failed %s it was made, it is exact",
  async (when) => {
    const { watch, stats, server, saved } = await opened();
    server.add("sent", 3);
    watch.fails = { ...BUSY, when };
    await expect(stats.close()).rejects.toMatchObject({ code: "STATS_BUSY" });
    watch.fails = null;
    await stats.close();
    expect(await saved()).toEqual([{ sent: 3 }]);
    const calls = watch.calls.length;
    await stats.close();
    expect(watch.calls).toHaveLength(calls);
  },
);

test("a recorder whose last save failed, and that is kept again, loses nothing", async () => {
  const { watch, stats, server, saved } = await opened();
  server.add("sent", 3);
  await stats.flush();
  server.add("sent", 4);
  watch.fails = BUSY;
  await expect(stats.close()).rejects.toMatchObject({ code: "STATS_BUSY" });
  watch.fails = null;
  const again = await keepStats({ agent: stats.recorder, store: watch.store, flushEvery: FLUSH_EVERY });
  expect((await again.getServersStats()).servers).toMatchObject([{ overall: { sent: 7 } }]);
  await again.close();
  expect(await saved()).toEqual([{ sent: 7 }]);
});

test("a recorder that is kept again after it was closed is counted once", async () => {
  const inner = memoryStore();
  const first = await openAgentStats({ protocols: [smp], store: inner });
  const server = first.server(smp, 1, "smp://a");
  server.add("sent", 5);
  await first.close();
  server.add("sent", 1);
  const again = await keepStats({ agent: first.recorder, store: inner });
  server.add("sent", 1);
  const [shown] = (await again.getServersStats()).servers;
  expect([shown?.past, shown?.overall]).toEqual([{ sent: 5 }, { sent: 7 }]);
  await again.close();
  expect(eachSum(await inner.sums(null))).toMatchObject([{ past: 5, open: 2 }]);
});

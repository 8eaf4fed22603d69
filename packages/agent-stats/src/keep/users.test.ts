import { describe, expect, test } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { eachHour } from "../store/contract-support.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { type AgentStats, openAgentStats } from "./open.ts";
import { gate, watched } from "./watched.testing.ts";

const smp = defineProtocol("smp", { sent: "messages sent", errors: { help: "messages refused", error: true } });
const xftp = defineProtocol("xftp", { sent: "files sent" });

/** Longer than any of these tests: what is saved is saved by the test. */
const FLUSH_EVERY = 3_600_000;

async function opened(database = new MemoryDatabase()) {
  const watch = watched(memoryStore(database));
  const options = { protocols: [smp, xftp], store: watch.store, flushEvery: FLUSH_EVERY, onProblem: () => {} };
  return { watch, database, stats: await openAgentStats(options) };
}

async function overall(stats: AgentStats): Promise<Record<string, Readonly<Record<string, number>>>> {
  const { servers } = await stats.getServersStats();
  return Object.fromEntries(servers.map((s) => [`${s.protocol} ${s.userId} ${s.server}`, s.overall]));
}

/** Counts for two users whose names begin alike. */
function countFor(stats: AgentStats) {
  const one = stats.server(smp, 1, "smp://a");
  one.add("sent", 5);
  stats.server(xftp, 1, "xftp://f").add("sent", 6);
  stats.server(smp, 10, "smp://a").add("sent", 7);
  return { one, sent: one.counter("sent") };
}

const TEN = { "smp 10 smp://a": { sent: 7 } };

/** Every way in which something can still be counted for user 1. */
function late(stats: AgentStats, { one, sent }: ReturnType<typeof countFor>): void {
  one.add("sent", 100);
  one.add("errors", 100);
  sent.add(100);
  stats.server(smp, 1, "smp://a").add("sent", 100);
  stats.server(smp, "1", "smp://new").counter("errors").add(100);
  stats.server(xftp, 1, "xftp://f").add("sent", 100);
}

describe("a user who is deleted", () => {
  test("is gone from memory at once and from the store when it has resolved; whose name begins alike, is not", async () => {
    const { stats, database } = await opened();
    countFor(stats);
    await stats.flush();
    const deleted = stats.deleteUser(1);
    expect(stats.recorder.getServersStats().servers.map(({ userId }) => userId)).toEqual(["10"]);
    expect(await deleted).toEqual({ erased: "physically" });
    expect(await overall(stats)).toEqual(TEN);
    expect((await memoryStore(database).sums(null)).keys.map(({ userId }) => userId)).toEqual(["10"]);
  });

  test("does not come back through handles old or new, before, while and after the deletion is saved", async () => {
    const { stats, watch, database } = await opened();
    const handles = countFor(stats);
    const { open, pass } = gate();
    watch.until = open;
    const deleted = stats.deleteUser("1");
    late(stats, handles);
    pass();
    await deleted;
    late(stats, handles);
    await stats.flush();
    late(stats, handles);
    await stats.close();
    const later = await opened(database);
    expect(await overall(later.stats)).toEqual(TEN);
    expect(Object.values(stats.recorder.getServersStats().rejected).every((n) => n === 0)).toBe(true);
  });

  test("control: the same calls count for a user who is not", async () => {
    const { stats } = await opened();
    late(stats, countFor(stats));
    expect((await overall(stats))["smp 1 smp://a"]).toEqual({ sent: 305, errors: 100 });
  });

  test.each(["until", "answersUntil"] as const)(
    "is not brought back by a save that is under way (%s)",
    async (when) => {
      const { stats, watch, database } = await opened();
      const handles = countFor(stats);
      const { open, pass } = gate();
      watch[when] = open;
      const flushed = stats.flush();
      await new Promise((resolve) => setTimeout(resolve));
      const deleted = stats.deleteUser(1);
      late(stats, handles);
      pass();
      await Promise.all([flushed, deleted]);
      await stats.flush();
      expect(await overall(stats)).toEqual(TEN);
      await stats.close();
      expect(eachHour(await memoryStore(database).hours(0, 1e9)).map(({ userId, value }) => [userId, value])).toEqual([
        ["10", 7],
      ]);
    },
  );

  test.each(["before", "after"] as const)("is not brought back by a save that failed %s it was done", async (when) => {
    const { stats, watch } = await opened();
    const handles = countFor(stats);
    watch.fails = { code: "STATS_BUSY", when };
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_BUSY" });
    await expect(stats.deleteUser(1)).rejects.toMatchObject({ code: "STATS_BUSY" });
    late(stats, handles);
    watch.fails = null;
    await stats.deleteUser(1);
    await stats.flush();
    expect(await overall(stats)).toEqual(TEN);
  });

  test("counts again from zero when added again, through new handles only", async () => {
    const { stats, database } = await opened();
    const { one, sent } = countFor(stats);
    await stats.flush();
    await stats.deleteUser(1);
    stats.addUser(1);
    one.add("sent", 1_000);
    sent.add(1_000);
    expect(await overall(stats)).toEqual(TEN);
    stats.server(smp, 1, "smp://a").add("sent", 3);
    expect(await overall(stats)).toEqual({ ...TEN, "smp 1 smp://a": { sent: 3 } });
    await stats.close();
    const later = await opened(database);
    expect(await overall(later.stats)).toEqual({ ...TEN, "smp 1 smp://a": { sent: 3 } });
  });

  test("is forgotten by other processes too, with what they have not saved yet", async () => {
    const { stats, database } = await opened();
    const other = await opened(database);
    countFor(stats);
    const handles = countFor(other.stats);
    await stats.flush();
    await other.stats.flush();
    late(other.stats, handles);
    await stats.deleteUser(1);
    await other.stats.flush();
    late(other.stats, handles);
    await other.stats.flush();
    expect(await overall(stats)).toEqual({ "smp 10 smp://a": { sent: 14 } });
    expect(await overall(other.stats)).toEqual({ "smp 10 smp://a": { sent: 14 } });
    await other.stats.close();
  });

  test("of an old session is folded into nothing", async () => {
    const { stats, database } = await opened();
    countFor(stats);
    await stats.close();
    const next = await opened(database);
    expect(Object.keys(await overall(next.stats)), "control").toHaveLength(3);
    await next.stats.deleteUser(1);
    await next.stats.close();
    const last = await opened(database);
    expect(await overall(last.stats)).toEqual(TEN);
  });
});

describe("a reset", () => {
  test("begins at zero, keeps what is counted meanwhile, and moves the date", async () => {
    const inner = memoryStore();
    const { open, pass } = gate();
    const reached = gate();
    const reset: typeof inner.reset = async (...args) => {
      const answer = await inner.reset(...args);
      reached.pass();
      await open;
      return answer;
    };
    const stats = await openAgentStats({ protocols: [smp, xftp], store: { ...inner, reset }, flushEvery: FLUSH_EVERY });
    const { one } = countFor(stats);
    await stats.flush();
    const before = (await stats.getServersStats()).trackedSince;
    await new Promise((resolve) => setTimeout(resolve, 2));
    const done = stats.reset();
    await reached.open;
    one.add("sent", 2);
    pass();
    await done;
    one.counter("errors").add(1);
    expect(await overall(stats)).toEqual({
      "smp 1 smp://a": { sent: 2, errors: 1 },
      "smp 10 smp://a": {},
      "xftp 1 xftp://f": {},
    });
    const after = await stats.getServersStats();
    expect(after.trackedSince.getTime()).toBeGreaterThan(before.getTime());
    await stats.flush();
    expect((await overall(stats))["smp 1 smp://a"]).toEqual({ sent: 2, errors: 1 });
  });

  test("covers what its scope says, in memory as in the store, and nothing that only looks alike", async () => {
    const scopes: [scope: Parameters<AgentStats["reset"]>[0], left: string[]][] = [
      [{ userId: 1 }, ["smp 10 smp://a"]],
      [{ userId: "1", protocol: "smp" }, ["smp 10 smp://a", "xftp 1 xftp://f"]],
      [{ server: "smp://a" }, ["xftp 1 xftp://f"]],
      [{ protocol: "xftp" }, ["smp 1 smp://a", "smp 10 smp://a"]],
      [{ userId: "100" }, ["smp 1 smp://a", "smp 10 smp://a", "xftp 1 xftp://f"]],
      [{}, []],
    ];
    for (const flushed of [true, false]) {
      for (const [scope, left] of scopes) {
        const { stats, database } = await opened();
        countFor(stats);
        if (flushed) await stats.flush();
        await stats.reset(scope);
        const shown = Object.entries(await overall(stats)).filter(([, numbers]) => Object.keys(numbers).length > 0);
        expect(shown.map(([key]) => key).sort(), JSON.stringify(scope)).toEqual(left);
        await stats.close();
        const later = await opened(database);
        expect(Object.keys(await overall(later.stats)).sort(), JSON.stringify(scope)).toEqual(left);
      }
    }
  });

  test.each<[string, unknown]>([
    ["a field that is mistyped", { user: "1" }],
    ["a field too many", { server: "smp://a", port: 5223 }],
    ["a server that is none", { server: 5 }],
    ["a user that is null", { userId: null }],
    ["null", null],
    ["a name", "smp"],
  ])("of %s resets nothing: without it, it would have reset more than was meant", async (_, scope) => {
    const stats = await openAgentStats({ protocols: [smp], store: memoryStore() });
    stats.server(smp, 1, "smp://a").add("sent", 5);
    await expect(stats.reset(scope as object)).rejects.toThrow(TypeError);
    expect((await stats.getServersStats()).servers).toMatchObject([{ overall: { sent: 5 } }]);
    await stats.reset({ protocol: undefined, userId: 1 } as object);
    expect((await stats.getServersStats()).servers.map(({ overall }) => overall)).toEqual([{}]);
    await stats.close();
  });

  test("that fails resets nothing, in memory or in the store", async () => {
    const { stats, watch } = await opened();
    countFor(stats);
    await stats.flush();
    watch.fails = { code: "STATS_DISK_FULL", when: "before" };
    await expect(stats.reset()).rejects.toMatchObject({ code: "STATS_DISK_FULL" });
    watch.fails = null;
    expect(Object.values(await overall(stats))).toEqual([{ sent: 5 }, { sent: 6 }, { sent: 7 }]);
  });
});

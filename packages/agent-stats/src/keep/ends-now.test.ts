/** A process that ends, and can await nothing: what is still done, in which order. `endings.test.ts` ends real ones. */
import { EventEmitter } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { StatsError } from "../store/errors.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import type { StatsStore, StoreCalls } from "../store/store.ts";
import { type KeepAgentOptions, keepStats, openAgentStats } from "./open.ts";
import { readAgentStats } from "./read.ts";
import { gate, watched } from "./watched.testing.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const NEVER = { flushEvery: 3_600_000, onProblem: () => {} };

const REGISTRY = Symbol.for("agent-stats.endings");
const holder = globalThis as { [REGISTRY]?: unknown };
const own = holder[REGISTRY];

/** Plays the process: it lives on whatever happens to it. */
let host: EventEmitter;
beforeEach(() => {
  host = Object.assign(new EventEmitter(), { pid: 4711, kill: () => {}, nextTick: queueMicrotask });
  delete holder[REGISTRY];
  vi.stubGlobal("process", host);
});
afterEach(() => {
  vi.unstubAllGlobals();
  holder[REGISTRY] = own;
});

/** What a reader finds: how much was sent by each user, and how each session ended. */
async function left(database: MemoryDatabase) {
  const view = readAgentStats({ store: memoryStore(database) });
  const { servers, sessions } = await view.getServersStats();
  const sent = Object.fromEntries(servers.map(({ userId, overall }) => [userId, overall.sent ?? 0]));
  return { sent, how: sessions.map(({ how }) => how) };
}

/** Statistics of two users, with 5 each that are not saved, in a store that can be held up. */
async function counting(more: Partial<StatsStore> = {}) {
  const database = new MemoryDatabase();
  const watch = watched(memoryStore(database));
  const stats = await openAgentStats({ protocols: [smp], store: { ...watch.store, ...more }, ...NEVER });
  const servers = [1, 2].map((user) => stats.server(smp, user, "smp://a"));
  for (const server of servers) server.add("sent", 5);
  /** From here on nobody is answered who waits. */
  const hold = () => {
    const { open, pass } = gate();
    watch.until = open;
    return pass;
  };
  return { database, watch, stats, servers, hold };
}

describe("an exit", () => {
  test("saves what is not saved, says how it ended, and nothing is counted after it", async () => {
    const { database, stats, servers } = await counting();
    await stats.flush();
    servers[0]?.add("sent", 2);
    host.emit("exit");
    servers[0]?.add("sent", 100);
    expect(await left(database)).toEqual({ sent: { "1": 7, "2": 5 }, how: ["exit"] });
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_CLOSED" });
    host.emit("exit");
    expect(await left(database)).toEqual({ sent: { "1": 7, "2": 5 }, how: ["exit"] });
  });

  test("finishes what is under way, once, and who waits for it is told", async () => {
    const { database, stats, servers, hold } = await counting();
    await stats.flush();
    servers[0]?.add("sent", 2);
    const pass = hold();
    const flushed = stats.flush();
    await turn();
    host.emit("exit");
    const saved = { sent: { "1": 7, "2": 5 }, how: ["exit"] };
    expect(await left(database)).toEqual(saved);
    pass();
    await flushed;
    expect(await left(database)).toEqual(saved);
  });

  test("deletes and resets what was asked for, although its turn had not come", async () => {
    const { database, stats, hold } = await counting();
    await stats.flush();
    hold();
    void stats.flush();
    void stats.deleteUser(1);
    host.emit("exit");
    expect((await left(database)).sent).toEqual({ "2": 5 });
    const other = await counting();
    await other.stats.flush();
    other.hold();
    void other.stats.flush();
    void other.stats.reset({ userId: 2 });
    host.emit("exit");
    expect((await left(other.database)).sent).toEqual({ "1": 5 });
  });

  test("asks nothing of the store that only somebody who is gone by then would have been told", async () => {
    const { stats, watch, hold } = await counting();
    hold();
    void stats.flush();
    const asked: string[] = [];
    const inner = (watch.store.now as StoreCalls).sums;
    Object.assign(watch.store.now as object, {
      sums: (...args: Parameters<typeof inner>) => {
        asked.push("sums");
        return inner.apply(watch.store.now, args);
      },
    });
    void stats.getServersStats();
    host.emit("exit");
    expect(asked).toEqual([]);
  });

  test.each(["until", "answersUntil"] as const)(
    "of statistics that are just being closed does all that was left, and says goodbye once (%s)",
    async (held) => {
      const { database, watch, stats, servers } = await counting();
      await stats.flush();
      servers[0]?.add("sent", 2);
      const { open, pass } = gate();
      watch[held] = open;
      const closed = stats.close();
      await turn();
      host.emit("exit");
      const saved = { sent: { "1": 7, "2": 5 }, how: ["close"] };
      expect(await left(database)).toEqual(saved);
      pass();
      await closed;
      expect(await left(database)).toEqual(saved);
    },
  );

  test("of statistics that are closed does nothing", async () => {
    const { database, stats } = await counting();
    await stats.close();
    host.emit("exit");
    expect(await left(database)).toEqual({ sent: { "1": 5, "2": 5 }, how: ["close"] });
    expect((holder[REGISTRY] as { dying: Set<unknown> }).dying.size).toBe(0);
  });

  test("throws nothing where the store fails, or can only be waited for", async () => {
    const { database } = await counting({ now: undefined } as object);
    expect(() => host.emit("exit")).not.toThrow();
    // Whoever looks takes the session for one that runs.
    expect((await left(database)).sent).toEqual({});
    const failing = new Proxy({} as StoreCalls, {
      get: () => () => {
        throw new StatsError("STATS_DISK_FULL", "no");
      },
    });
    await counting({ now: failing });
    expect(() => host.emit("exit")).not.toThrow();
  });

  test("that finds the file moved saves once more, where the file is then; after another failure it does not", async () => {
    for (const [code, saved] of [
      ["STATS_MOVED", { "1": 5, "2": 5 }],
      ["STATS_DISK_FULL", {}],
    ] as const) {
      const database = new MemoryDatabase();
      const inner = memoryStore(database);
      const calls = inner.now as StoreCalls;
      let failed = 0;
      const now = new Proxy(calls, {
        get: (of, name: keyof StoreCalls) =>
          name === "save" && failed++ === 0
            ? () => {
                throw new StatsError(code, "no");
              }
            : (of[name] as (...args: unknown[]) => unknown).bind(of),
      });
      const stats = await openAgentStats({ protocols: [smp], store: { ...inner, now }, ...NEVER });
      for (const user of [1, 2]) stats.server(smp, user, "smp://a").add("sent", 5);
      host.emit("exit");
      expect((await left(database)).sent).toEqual(saved);
    }
  });
});

test("a signal that the host handles saves, and the session goes on", async () => {
  const database = new MemoryDatabase();
  const stats = await openAgentStats({ protocols: [smp], store: memoryStore(database), ...NEVER });
  const server = stats.server(smp, 1, "smp://a");
  server.add("sent", 5);
  host.on("SIGTERM", () => {});
  host.emit("SIGTERM");
  expect((await left(database)).sent).toEqual({ "1": 5 });
  server.add("sent", 1);
  await stats.flush();
  expect((await left(database)).sent).toEqual({ "1": 6 });
  await stats.close();
  expect((await left(database)).how).toEqual(["close"]);
});

describe("an exit with an agent elsewhere", () => {
  const told = (session: string, sent: number) => ({
    session,
    servers: [{ protocol: "smp", userId: "1", server: "smp://a", session: { sent }, live: {} }],
    rejected: {},
  });

  async function hosting(agent: KeepAgentOptions["agent"]) {
    const database = new MemoryDatabase();
    const watch = watched(memoryStore(database));
    const stats = await keepStats({ agent, protocols: [smp], store: watch.store, ...NEVER });
    await stats.flush();
    return { database, watch, stats };
  }

  test.each<[what: string, now: (() => unknown) | undefined, sent: number, how: string[]]>([
    ["takes over what it counted since", () => told("a", 9), 9, ["exit"]],
    ["takes over what it counted since it was started again", () => told("b", 4), 11, ["agent", "exit"]],
    ["believes no nonsense", () => ({ servers: 5 }), 7, ["exit"]],
    ["goes without it where it does not answer", () => null, 7, ["exit"]],
    ["goes without it where it cannot be asked at once", undefined, 7, ["exit"]],
  ])("%s", async (_what, now, sent, how) => {
    const agent = { getServersStats: () => told("a", 7), ...(now && { getServersStatsNow: now }) };
    const { database } = await hosting(agent);
    host.emit("exit");
    expect(await left(database)).toEqual({ sent: { "1": sent }, how });
  });

  test("resets what it counted before that was asked for", async () => {
    const agent = { getServersStats: () => told("a", 7), getServersStatsNow: () => told("a", 9) };
    const { database, watch, stats } = await hosting(agent);
    watch.until = gate().open;
    void stats.flush();
    void stats.reset();
    host.emit("exit");
    expect((await left(database)).sent).toEqual({});
  });
});

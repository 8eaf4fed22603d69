/** What each answer of a store means, however it came about: nothing is counted twice, and nothing is missed. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import { StatsError } from "../store/errors.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import type { Announcement, SaveBatch, SaveResult, StatsStore } from "../store/store.ts";
import { smp as played, start } from "./model-process.testing.ts";
import { keepStats, openAgentStats } from "./open.ts";
import { readAgentStats } from "./read.ts";
import { watched } from "./watched.testing.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
afterEach(() => void vi.restoreAllMocks());

const NEVER = { flushEvery: 3_600_000, onProblem: () => {} };

/** What anybody finds in the database: how much was sent of each server, and how each session ended. */
async function found(database: MemoryDatabase) {
  const view = readAgentStats({ store: memoryStore(database) });
  const { servers } = await view.getServersStats();
  const how = (await view.getSessions()).map((session) => session.how);
  return { sent: Object.fromEntries(servers.map(({ server, overall }) => [server, overall.sent ?? 0])), how };
}

/** Statistics on a store that answers a save otherwise when it is told to. */
async function answering(more: Partial<StatsStore> = {}) {
  const database = new MemoryDatabase();
  const inner = memoryStore(database);
  const batches: SaveBatch[] = [];
  const next: { answer: ((batch: SaveBatch) => Promise<SaveResult>) | null } = { answer: null };
  const save = (batch: SaveBatch) => {
    batches.push(batch);
    const { answer } = next;
    next.answer = null;
    return answer ? answer(batch) : inner.save(batch);
  };
  const stats = await openAgentStats({ protocols: [smp], store: { ...inner, save, ...more }, ...NEVER });
  return { database, inner, batches, next, stats, a: stats.server(smp, 1, "a"), b: stats.server(smp, 2, "b") };
}

describe("a save", () => {
  test("whose rows mean nothing to the store any more is made again with all keys, and once", async () => {
    const { database, batches, next, stats, a, b } = await answering();
    a.add("sent", 5);
    await stats.flush();
    batches.splice(0);
    a.add("sent", 1);
    b.add("sent", 2);
    next.answer = async () => ({ outcome: "untold" });
    await stats.flush();
    expect(batches.map(({ save, keys }) => [save, keys.map(([row]) => row)])).toEqual([
      [2, [1]],
      [2, [0, 1]],
    ]);
    expect((await found(database)).sent).toEqual({ a: 6, b: 2 });
    await stats.close();
    expect(await found(database)).toEqual({ sent: { a: 6, b: 2 }, how: ["close"] });
  });

  test("that finds the session closed by others goes on with another one, from what was saved", async () => {
    const { database, inner, stats, a, b, batches } = await answering();
    a.add("sent", 5);
    await stats.flush();
    await inner.close();
    await memoryStore(database).fold();
    a.add("sent", 1);
    b.add("sent", 2);
    await stats.flush();
    expect((await found(database)).sent).toEqual({ a: 6, b: 2 });
    expect(batches.at(-1)).toMatchObject({ session: 2, save: 1 });
    // A session that is over is not asked for users who are deleted later.
    await stats.deleteUser(2);
    await stats.close();
    expect(await found(database)).toEqual({ sent: { a: 6 }, how: ["killed", "close"] });
  });

  test("that said goodbye, and was reported as failed, is made again: it is the same goodbye", async () => {
    const { database, inner, stats, a, next } = await answering();
    a.add("sent", 5);
    next.answer = async (batch) => {
      await inner.save(batch);
      throw new StatsError("STATS_STORE_FAILED", "It was done, and is reported as failed.");
    };
    await expect(stats.close()).rejects.toThrow("reported as failed");
    await stats.close();
    const { sent, how } = await found(database);
    expect([sent, new Set(how)]).toEqual([{ a: 5 }, new Set(["close"])]);
  });

  test("that would have said goodbye to a session which others closed before is made in another", async () => {
    const { database, inner, stats, a } = await answering();
    a.add("sent", 5);
    await stats.flush();
    await inner.close();
    await memoryStore(database).fold();
    a.add("sent", 2);
    await stats.close();
    expect(await found(database)).toEqual({ sent: { a: 7 }, how: ["killed", "close"] });
  });
});

describe("a session that others closed while its thread was stuck", () => {
  test("counts what the store's own thread saved of it in the session that is over, and not again", async () => {
    const database = new MemoryDatabase();
    const inner = memoryStore(database);
    // Somebody else counts more of the same key, and lives.
    const other = await start(memoryStore(database), "zero");
    other.stats.server(played, 1, "a").add("sent", 100);
    await other.stats.flush();
    const { stats, standIn } = await start(inner, "zero");
    const server = stats.server(played, 1, "a");
    server.add("sent", 5);
    await stats.flush();
    server.add("sent", 3);
    expect(standIn()).toBe(true);
    await inner.close();
    await memoryStore(database).fold();
    server.add("sent", 2);
    await stats.flush();
    expect((await found(database)).sent).toEqual({ a: 110 });
    await other.stats.close();
    await stats.close();
    expect(await found(database)).toEqual({ sent: { a: 110 }, how: ["close", "killed", "close"] });
  });
});

describe("a store with a thread of its own", () => {
  /** Statistics on one that hears all, and what it was told to be due. */
  async function heard(agent?: () => unknown) {
    const inner = memoryStore();
    const told: Announcement[] = [];
    const batches: SaveBatch[] = [];
    const fails = { next: false };
    const store: StatsStore = {
      ...inner,
      announce: (news) => told.push(news) > 0,
      async save(batch) {
        batches.push(batch);
        if (fails.next) throw new StatsError("STATS_BUSY", "It fails on demand.");
        return inner.save(batch);
      },
    };
    const stats = agent
      ? await keepStats({ agent: { getServersStats: agent }, protocols: [smp], store, ...NEVER })
      : await openAgentStats({ protocols: [smp], store, ...NEVER });
    await stats.flush();
    const due = () => told.splice(0).flatMap((news) => news.due ?? []);
    due();
    batches.splice(0);
    return { stats, due, batches, fails };
  }

  test("is told once of what is due, under the number of the last save; and that one before is in doubt", async () => {
    const { stats, due, fails } = await heard();
    const server = stats.server(smp, 1, "a");
    server.add("sent");
    const [first, ...others] = due();
    expect(first).toMatchObject({ session: 1, seen: 0, isSettled: true, withinMs: 3_600_000 });
    const last = first?.save ?? 0;
    expect([others, Object.keys(first ?? {})]).toEqual([[], expect.not.arrayContaining(["agent"])]);
    fails.next = true;
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_BUSY" });
    server.add("sent");
    expect(due()).toMatchObject([{ save: last + 1, isSettled: false }]);
    fails.next = false;
    await stats.flush();
    server.add("sent");
    expect(due()).toMatchObject([{ save: last + 2, isSettled: true }]);
    await stats.close();
  });

  test("is told which run of an agent elsewhere was counted", async () => {
    const counted = { protocol: "smp", userId: "1", server: "a", session: { sent: 5 }, live: {} };
    const { stats, due } = await heard(() => ({ session: "run", servers: [counted], rejected: {} }));
    stats.server(smp, 2, "b").add("sent");
    expect(due()).toMatchObject([{ agent: "run" }]);
    await stats.close();
  });

  test("knows thousands of new keys before they are saved; who ends names those that it does not know", async () => {
    const count = (stats: Awaited<ReturnType<typeof heard>>["stats"]) => {
      for (let i = 0; i < 3_000; i++) stats.server(smp, 1, `smp://${i}`).add("sent");
    };
    // Each message takes its time, however fast this machine is.
    let now = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => now++);
    const { stats, batches } = await heard();
    count(stats);
    await stats.flush();
    expect([batches[0]?.keys.length, batches[0]?.cells.length]).toEqual([0, 9_000]);
    await stats.close();
    const ending = await heard();
    count(ending.stats);
    await ending.stats.close();
    expect(ending.batches[0]?.keys.length).toBeGreaterThan(1_000);
  });
});

describe("a store that says that something was cleared behind the keeper's back", () => {
  async function hearing() {
    const database = new MemoryDatabase();
    const watch = watched(memoryStore(database));
    let say = () => {};
    const listen = (onCleared: () => void) => {
      say = onCleared;
    };
    const stats = await openAgentStats({ protocols: [smp], store: { ...watch.store, listen }, ...NEVER });
    for (const user of [1, 2]) stats.server(smp, user, "a").add("sent", 5);
    await stats.flush();
    const users = () => stats.recorder.getServersStats().servers.map(({ userId }) => userId);
    return { database, watch, stats, users, cleared: () => say() };
  }

  test("is asked for what it was, in a moment, although nothing is counted", async () => {
    const { database, stats, users, cleared } = await hearing();
    await memoryStore(database).deleteUser("1", "forget", { session: null, seen: 0, at: Date.now() });
    expect(users()).toEqual(["1", "2"]);
    cleared();
    await vi.waitFor(() => expect(users()).toEqual(["2"]));
    await stats.close();
  });

  test("is not asked any more when the statistics are closed", async () => {
    const { watch, stats, cleared } = await hearing();
    cleared();
    await stats.close();
    watch.calls.length = 0;
    cleared();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(watch.calls).toEqual([]);
  });
});

describe("statistics that are closed", () => {
  test("may be closed again, which asks nothing of the store; and again where that failed", async () => {
    const watch = watched();
    const stats = await openAgentStats({ protocols: [smp], store: watch.store, ...NEVER });
    watch.fails = { code: "STATS_DISK_FULL", when: "before" };
    stats.server(smp, 1, "a").add("sent", 5);
    await expect(stats.close()).rejects.toMatchObject({ code: "STATS_DISK_FULL" });
    watch.fails = null;
    await stats.close();
    watch.calls.length = 0;
    await stats.close();
    expect(watch.calls).toEqual([]);
  });
});

describe("a recorder starts from zero", () => {
  test("unless the past is asked for, whoever keeps it; and who keeps it here is not away", async () => {
    const database = new MemoryDatabase();
    const before = await openAgentStats({ protocols: [smp], store: memoryStore(database), ...NEVER });
    before.server(smp, 1, "a").add("sent", 5);
    await before.close();
    const told = { session: "s", servers: [], rejected: {} };
    for (const [startFrom, agent, sent] of [
      ["zero", null, undefined],
      ["past", null, 5],
      [undefined, null, undefined],
      [undefined, new Recorder({ protocols: [smp] }), undefined],
      [undefined, { getServersStats: () => told }, undefined],
    ] as const) {
      const store = memoryStore(database);
      const stats = agent
        ? await keepStats({ agent, protocols: [smp], store, ...NEVER })
        : await openAgentStats({ protocols: [smp], store, ...NEVER, ...(startFrom && { startFrom }) });
      const [server] = stats.recorder.getServersStats().servers;
      expect([server?.total.sent, stats.agentIsAway]).toEqual([sent, false]);
      expect((await stats.getServersStats()).servers).toMatchObject([{ overall: { sent: 5 } }]);
      await stats.close();
    }
  });
});

test("who only looks sees each session, and releases the store", async () => {
  const database = new MemoryDatabase();
  const stats = await openAgentStats({ protocols: [smp], store: memoryStore(database), ...NEVER });
  stats.server(smp, 1, "a").add("sent", 5);
  await stats.close();
  const watch = watched(memoryStore(database));
  const view = readAgentStats({ store: watch.store });
  expect((await view.getSessions()).map(({ how, servers }) => [how, servers.length])).toEqual([["close", 1]]);
  await view.close();
  expect(watch.calls.at(-1)).toBe("close");
});

/** Where users' records are in another database: whoever no longer exists is dropped at the start. */
import { describe, expect, test, vi } from "vitest";
import { smp as agentProtocol } from "../record/channels.testing.ts";
import { defineProtocol } from "../record/protocol.ts";
import { StatsError } from "../store/errors.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { LocalAgent, overall } from "./mirror.testing.ts";
import { type AgentStats, keepStats, type OpenOptions, openAgentStats } from "./open.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });

function open(database: MemoryDatabase, options: Partial<OpenOptions> = {}): Promise<AgentStats> {
  return openAgentStats({ protocols: [smp], store: memoryStore(database), flushEvery: 3_600_000, ...options });
}

/** A database with statistics of these users. */
async function databaseOf(...users: (string | number)[]): Promise<MemoryDatabase> {
  const database = new MemoryDatabase();
  const stats = await open(database);
  for (const user of users) stats.server(smp, user, "smp://a").add("sent", 5);
  await stats.close();
  return database;
}

const kept = async (stats: AgentStats) => (await stats.getServersStats()).servers.map(({ userId }) => userId).sort();
const keptIn = (database: MemoryDatabase) => [...database.keys.values()].map(({ userId }) => userId).sort();

describe("at the start", () => {
  const LISTS: [name: string, users: OpenOptions["users"]][] = [
    ["as strings", () => ["10", "2"]],
    ["as numbers", () => [10, 2]],
    ["by a promise", async () => new Set([2, "10"])],
    [
      "one by one",
      function* () {
        yield 2;
        yield "10";
      },
    ],
  ];
  test.each(LISTS)("whoever is not among the users given %s is dropped, and nobody else", async (_, users) => {
    const database = await databaseOf(1, 2, 10, 100);
    const stats = await open(database, { users: users as NonNullable<OpenOptions["users"]> });
    expect(keptIn(database), "when it has opened, it is done").toEqual(["10", "2"]);
    expect(await kept(stats)).toEqual(["10", "2"]);
    stats.server(smp, 100, "smp://a").add("sent");
    await stats.flush();
    expect(await kept(stats), "who was dropped does not come back").toEqual(["10", "2"]);
    await stats.close();
  });

  test("nobody is dropped where all are known, or no list is given", async () => {
    const database = await databaseOf(1, 10);
    await (await open(database)).close();
    await (await open(database, { users: () => [1, 10, 11] })).close();
    expect(keptIn(database)).toEqual(["1", "10"]);
  });

  test("everybody is dropped where nobody is left, but not the sums that stay without a user", async () => {
    const database = await databaseOf(1, 10);
    const stats = await open(database);
    await stats.deleteUser(1, { totals: "anonymise" });
    await stats.close();
    await (await open(database, { users: () => [] })).close();
    expect(keptIn(database)).toEqual([""]);
  });

  test("those who are counted for by a session that was killed are dropped with it", async () => {
    const database = new MemoryDatabase();
    const store = memoryStore(database);
    const killed = await openAgentStats({ protocols: [smp], store, flushEvery: 3_600_000 });
    for (const user of [1, 10]) killed.server(smp, user, "smp://a").add("sent");
    await killed.flush();
    await store.close();
    const stats = await open(database, { users: () => [10] });
    expect(await kept(stats)).toEqual(["10"]);
    await stats.close();
  });
});

describe("a list of users that cannot be had", () => {
  const FAILURES: [how: string, fail: () => never | Promise<never>][] = [
    ["throws", () => expect.unreachable()],
    ["rejects", () => Promise.reject(new Error("the host's own"))],
  ];
  test.each(FAILURES)("because it %s drops nobody, is no problem, and is asked for again", async (_, fail) => {
    const database = await databaseOf(1, 10);
    const users = vi.fn<NonNullable<OpenOptions["users"]>>(fail);
    const stats = await open(database, { users, onProblem: (problem) => expect(problem).toBeNull() });
    expect(users).toHaveBeenCalledTimes(1);
    await stats.flush();
    expect([await kept(stats), stats.problem]).toEqual([["1", "10"], null]);
    users.mockImplementation(() => [10]);
    await stats.flush();
    await vi.waitFor(() => expect(keptIn(database)).toEqual(["10"]));
    const asked = users.mock.calls.length;
    await stats.flush();
    await stats.getServersStats();
    expect(users, "once it is known, it is not asked for again").toHaveBeenCalledTimes(asked);
    await stats.close();
  });

  test("because the store fails is asked for when that works again", async () => {
    const database = await databaseOf(1, 10);
    const inner = memoryStore(database);
    let works = false;
    const begin: typeof inner.begin = (session) =>
      works ? inner.begin(session) : Promise.reject(new StatsError("STATS_BUSY", "It fails on demand."));
    const users = vi.fn(() => [10]);
    const stats = await open(database, { store: { ...inner, begin }, users, onProblem: () => {} });
    expect([users.mock.calls.length, keptIn(database)]).toEqual([0, ["1", "10"]]);
    works = true;
    await stats.flush();
    await vi.waitFor(() => expect(keptIn(database)).toEqual(["10"]));
    await stats.close();
  });

  test("because a deletion fails half way is gone through again", async () => {
    const database = await databaseOf(1, 2, 10);
    const inner = memoryStore(database);
    let left = 1;
    const deleteUser: typeof inner.deleteUser = (...args) =>
      left-- > 0 || left < -1 ? inner.deleteUser(...args) : Promise.reject(new Error("it fails on demand"));
    const stats = await open(database, { store: { ...inner, deleteUser }, users: () => [10], onProblem: () => {} });
    expect(keptIn(database)).toHaveLength(2);
    await stats.flush();
    await vi.waitFor(() => expect(keptIn(database)).toEqual(["10"]));
    await stats.close();
  });
});

test("a user who is new while the list is made is not dropped", async () => {
  const database = await databaseOf(1, 10);
  const records = [10];
  let answer = (_: number[]): void => {};
  const list = new Promise<number[]>((resolve) => {
    answer = resolve;
  });
  // The list is made, and takes a while to arrive.
  const users = vi.fn(() => list);
  const inner = memoryStore(database);
  let works = false;
  const begin: typeof inner.begin = (session) =>
    works ? inner.begin(session) : Promise.reject(new StatsError("STATS_BUSY", "It fails on demand."));
  const stats = await open(database, { store: { ...inner, begin }, users, onProblem: () => {} });
  works = true;
  await stats.flush();
  await vi.waitFor(() => expect(users).toHaveBeenCalled());
  const made = [...records];
  records.push(11);
  stats.server(smp, 11, "smp://a").add("sent", 3);
  await stats.flush();
  answer(made);
  await vi.waitFor(() => expect(keptIn(database)).toEqual(["10", "11"]));
  stats.server(smp, 11, "smp://a").add("sent", 3);
  expect(overall(await stats.getServersStats())["11 smp://a"]).toEqual({ sent: 6 });
  await stats.close();
});

test("an agent elsewhere that outlived its host does not bring back whoever was deleted meanwhile", async () => {
  const database = new MemoryDatabase();
  const agent = new LocalAgent();
  const start = (users: number[]) => {
    const options = { protocols: [agentProtocol], store: memoryStore(database), flushEvery: 3_600_000 };
    return keepStats({ ...options, agent: agent.connect(), users: () => users });
  };
  const host = await start([]);
  for (const user of [1, 10]) agent.recorder.server(agentProtocol, user, "smp://a").add("sent", 5);
  await host.close();
  for (const user of [1, 10]) agent.recorder.server(agentProtocol, user, "smp://a").add("sent", 5);
  const next = await start([10]);
  expect(overall(await next.getServersStats())).toEqual({ "10 smp://a": { sent: 10 } });
  expect(agent.recorder.getServersStats().servers.map(({ userId }) => userId)).toEqual(["10"]);
  await next.close();
  agent.end();
});

test("a user whom another process deletes takes nothing of the session that goes on", async () => {
  const database = new MemoryDatabase();
  const [here, there] = [await open(database), await open(database)];
  for (const user of [1, 2]) here.server(smp, user, "smp://a").add("sent", 5);
  await here.flush();
  await there.deleteUser(1);
  here.server(smp, 2, "smp://a").add("sent", 2);
  await here.flush();
  expect(overall(await here.getServersStats())).toEqual({ "2 smp://a": { sent: 7 } });
  expect((await here.getSessions()).map(({ how }) => how)).toEqual(["running", "running"]);
  await here.close();
  await there.close();
});

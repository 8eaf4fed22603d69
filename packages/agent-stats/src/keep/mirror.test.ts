/** An agent elsewhere, kept by a host here. */
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type AgentElsewhere, KINDS, smp } from "../record/channels.testing.ts";
import { connectRecorder, type RemoteAgent } from "../record/connect.ts";
import { Recorder } from "../record/recorder.ts";
import { eachSum } from "../store/contract-support.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { LocalAgent, overall } from "./mirror.testing.ts";
import { type AgentStats, type KeepAgentOptions, keepStats } from "./open.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A host on this database; its saves come when the test says so, unless it says how often. */
async function host(
  agent: KeepAgentOptions["agent"],
  database = new MemoryDatabase(),
  options: Partial<KeepAgentOptions> = {},
): Promise<AgentStats> {
  const onProblem = (problem: unknown) => problem !== null && expect.unreachable("no problem is to be told");
  const store = memoryStore(database);
  const stats = await keepStats({ agent, protocols: [smp], store, flushEvery: 3_600_000, onProblem, ...options });
  cleanUps.push(() => stats.close());
  return stats;
}

async function endings(stats: AgentStats): Promise<string[]> {
  return (await stats.getSessions()).map(({ how }) => how);
}

describe.each(Object.keys(KINDS))("an agent behind %s", (kind) => {
  const start = async (): Promise<AgentElsewhere> => {
    const agent = await (KINDS[kind] as () => Promise<AgentElsewhere>)();
    cleanUps.push(() => agent.kill());
    return agent;
  };

  test("is kept without being asked; away, it is shown so; started again, it counts in a new session", async () => {
    const [first, second] = [await start(), await start()];
    const remote = connectRecorder(first.channel);
    const database = new MemoryDatabase();
    const stats = await host(remote, database, { flushEvery: 50 });
    first.act("add", "1", "smp://a", "sent", 5);
    first.act("set", "1", "smp://a", "connected", 3);
    const sums = async () => eachSum(await memoryStore(database).sums(null));
    const saved = async () => (await sums()).reduce((sum, { past, open }) => sum + past + open, 0);
    await vi.waitFor(async () => expect(await saved()).toBe(5), 5_000);
    expect((await stats.getServersStats()).servers[0]?.live).toEqual({ connected: 3 });
    expect(stats.agentIsAway).toBe(false);

    await first.kill();
    const { servers } = await stats.getServersStats();
    expect([stats.agentIsAway, stats.problem, servers[0]?.live, servers[0]?.overall]).toEqual([
      ...[true, null, {}, { sent: 5 }],
    ]);
    second.act("add", "1", "smp://a", "sent", 4);
    second.act("set", "1", "smp://b", "connected", 1);
    remote.attach(second.channel);
    await vi.waitFor(async () => expect(await saved()).toBe(9), 5_000);
    expect(stats.agentIsAway).toBe(false);
    const now = await stats.getServersStats();
    expect(overall(now)).toEqual({ "1 smp://a": { sent: 9 }, "1 smp://b": {} });
    expect(now.servers.map(({ live }) => live)).toEqual([{}, { connected: 1 }]);
    const sessions = await stats.getSessions();
    expect(sessions.map(({ how, canHaveLostMs }) => [how, canHaveLostMs])).toEqual([
      ["agent", 0],
      ["running", 0],
    ]);
    expect(sessions.map((session) => session.servers.map(({ counters }) => counters))).toEqual([
      [{ sent: 5 }],
      [{ sent: 4 }],
    ]);
  });

  test("lives on while its host is started again: nothing is counted twice, and nothing is missed", async () => {
    const agent = await start();
    const database = new MemoryDatabase();
    const remote = connectRecorder(agent.channel);
    agent.act("add", "1", "smp://a", "sent", 5);
    await (await host(remote, database)).close();
    agent.act("add", "1", "smp://a", "sent", 3);
    agent.act("add", "2", "smp://a", "sent", 1);
    const second = await host(remote, database);
    expect(overall(await second.getServersStats())).toEqual({ "1 smp://a": { sent: 8 }, "2 smp://a": { sent: 1 } });
    await second.close();
    const third = await host(remote, database);
    expect(overall(await third.getServersStats())).toEqual({ "1 smp://a": { sent: 8 }, "2 smp://a": { sent: 1 } });
    expect(await endings(third)).toEqual(["close", "close", "running"]);
  });
});

describe("while nothing is counted", () => {
  /** A host that saves by itself, and how often it did. */
  async function counting(agent: KeepAgentOptions["agent"], flushEvery: number) {
    const store = memoryStore();
    const save = vi.fn(store.save);
    return { save, stats: await host(agent, undefined, { store: { ...store, save }, flushEvery }) };
  }

  test("an agent that tells of its changes is not asked, and nothing is written", async () => {
    const agent = new LocalAgent();
    const { save } = await counting(agent.connect(), 50);
    agent.recorder.server(smp, 1, "smp://a").add("sent");
    await vi.waitFor(() => expect(save).toHaveBeenCalledTimes(1));
    await sleep(200);
    const asked = agent.messages;
    await sleep(400);
    expect([agent.messages, save.mock.calls.length]).toEqual([asked, 1]);
  });

  test("one that does not is asked once an interval, and nothing is written", async () => {
    const recorder = new Recorder({ protocols: [smp] });
    recorder.server(smp, 1, "smp://a").add("sent", 5);
    const getServersStats = vi.fn(() => recorder.getServersStats());
    const { save, stats } = await counting({ getServersStats }, 100);
    const began = performance.now();
    await vi.waitFor(() => expect(getServersStats.mock.calls.length).toBeGreaterThan(5), 5_000);
    expect(getServersStats.mock.calls.length).toBeLessThan(3 + (performance.now() - began) / 100);
    expect(save).toHaveBeenCalledTimes(1);
    recorder.server(smp, 1, "smp://a").add("sent");
    await vi.waitFor(() => expect(save).toHaveBeenCalledTimes(2), 5_000);
    await stats.close();
    const asked = getServersStats.mock.calls.length;
    await sleep(300);
    expect(getServersStats.mock.calls.length, "closed").toBe(asked);
  });
});

describe("an agent that only answers", () => {
  const answer = (sent: number, session?: string) => ({
    servers: [{ protocol: "smp", userId: 1, server: "smp://a", session: { sent }, live: { connected: sent } }],
    ...(session !== undefined && { session }),
  });

  test.each([
    ["at once", (value: unknown) => value],
    ["with a promise", async (value: unknown) => value],
  ])("%s is carried forward where its counters go back, and never subtracted", async (_, giving) => {
    let sent = 5;
    const stats = await host({ getServersStats: () => giving(answer(sent)) });
    const steps: [sent: number, overall: number][] = [
      [5, 5],
      [7, 7],
      [2, 9],
      [2, 9],
      [0, 9],
      [1, 10],
      [1, 10],
    ];
    for (const [next, sum] of steps) {
      sent = next;
      await stats.flush();
      const { servers } = await stats.getServersStats();
      expect([servers[0]?.overall.sent, servers[0]?.session.sent]).toEqual([sum, sum]);
    }
    expect(await endings(stats)).toEqual(["running"]);
  });

  test("and tells its session counts anew with the next", async () => {
    let given = answer(5, "first");
    const stats = await host({ getServersStats: () => given });
    await stats.flush();
    given = answer(5, "second");
    const { servers } = await stats.getServersStats();
    expect([servers[0]?.past, servers[0]?.session]).toEqual([{ sent: 5 }, { sent: 5 }]);
    expect(await endings(stats)).toEqual(["agent", "running"]);
  });

  test("shows no gauge that it left out, and none of its session before", async () => {
    const key = { protocol: "smp", userId: "1" };
    let given: unknown = { servers: ["a", "b"].map((server) => ({ ...key, server, live: { connected: 1 } })) };
    const stats = await host({ getServersStats: () => given });
    const live = async () => (await stats.getServersStats()).servers.map((server) => server.live);
    expect(await live()).toEqual([{ connected: 1 }, { connected: 1 }]);
    given = { servers: [{ ...key, server: "a", live: {} }] };
    expect(await live()).toEqual([{}, {}]);
    given = { session: "next", servers: [{ ...key, server: "b", live: { connected: 2 } }] };
    expect(await live()).toEqual([{}, { connected: 2 }]);
  });

  test.each<[how: string, agent: () => unknown]>([
    ["throws", () => expect.unreachable()],
    ["rejects", () => Promise.reject(new Error("the agent's fault"))],
    ["answers nothing", () => undefined],
    ["answers what is none", () => ({ servers: "none" })],
    ["answers with an object that throws", () => new Proxy({}, { get: () => expect.unreachable() })],
  ])("and %s is away, without a problem, until it answers", async (_, fails) => {
    let works = false;
    const stats = await host({ getServersStats: () => (works ? answer(3) : fails()) });
    await stats.flush();
    expect([stats.agentIsAway, stats.problem]).toEqual([true, null]);
    works = true;
    await stats.flush();
    expect([stats.agentIsAway, overall(await stats.getServersStats())]).toEqual([
      ...[false, { "1 smp://a": { sent: 3 } }],
    ]);
    works = false;
    const { servers } = await stats.getServersStats();
    expect([stats.agentIsAway, servers[0]?.live]).toEqual([true, {}]);
  });

  test("and never answers is away after a while, and nothing waits for it for ever", async () => {
    const stats = await host({ getServersStats: () => new Promise(() => {}) });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const flushed = stats.flush();
    await vi.advanceTimersByTimeAsync(10_000);
    await flushed;
    expect([stats.agentIsAway, stats.problem]).toEqual([true, null]);
    const closed = stats.close();
    await vi.advanceTimersByTimeAsync(10_000);
    await closed;
  });

  test("counts of a protocol that is not known here are rejected, and counted nowhere", async () => {
    const other = { protocol: "other", userId: "1", server: "x", session: { sent: 5 } };
    const unknown = { protocol: "smp", userId: "1", server: "smp://a", session: { sent: 5, invented: 6 } };
    const stats = await host({ getServersStats: () => ({ servers: [other, unknown] }) });
    const { servers, rejected } = await stats.getServersStats();
    expect(overall({ servers })).toEqual({ "1 smp://a": { sent: 5 } });
    expect(rejected.unknownName).toBe(2);
  });
});

describe("an agent that is restarted, and a host that is restarted or killed, in any order", () => {
  type Step = { do: "count"; user: number; n: number } | { do: "flush" | "close" | "kill" | "restart" | "lose" };
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("count" as const), user: fc.nat(2), n: fc.integer({ min: 1, max: 9 }) }),
    },
    { weight: 3, arbitrary: fc.constant({ do: "flush" as const }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constantFrom("close" as const, "kill" as const, "restart" as const, "lose" as const),
      }),
    },
  );

  test("the sums are what all the agents counted", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25, size: "max" }), async (steps) => {
        const database = new MemoryDatabase();
        let agent = new LocalAgent();
        let remote: RemoteAgent = agent.connect();
        let store = memoryStore(database);
        const open = () =>
          keepStats({ agent: remote, protocols: [smp], store, flushEvery: 3_600_000, onProblem: () => {} });
        let stats = await open();
        const expected: Record<string, { sent: number }> = {};
        for (const each of steps) {
          if (each.do === "count") {
            agent.recorder.server(smp, each.user, "smp://a").add("sent", each.n);
            const name = `${each.user} smp://a`;
            expected[name] = { sent: (expected[name]?.sent ?? 0) + each.n };
          } else if (each.do === "flush") await stats.flush();
          else if (each.do === "lose") {
            // The connection, with an answer on its way.
            const flushed = stats.flush();
            await agent.loseChannel();
            await flushed;
            agent.reconnect(remote);
          } else if (each.do === "restart") {
            // An agent that ends tells its counts before.
            await stats.flush();
            agent.end();
            agent = new LocalAgent();
            agent.reconnect(remote);
          } else {
            await (each.do === "close" ? stats.close() : store.close());
            agent.end();
            remote = agent.connect();
            store = memoryStore(database);
            stats = await open();
          }
        }
        expect(overall(await stats.getServersStats())).toEqual(expected);
        await stats.close();
        agent.end();
      }),
      { numRuns: 200 },
    );
  });

  test("control: without the agent's session, what an older host kept is counted again", async () => {
    const recorder = new Recorder({ protocols: [smp] });
    recorder.server(smp, 1, "smp://a").add("sent", 5);
    const agent = { getServersStats: () => ({ ...recorder.getServersStats(), session: null }) };
    const database = new MemoryDatabase();
    await (await host(agent, database)).close();
    expect(overall(await (await host(agent, database)).getServersStats())).toEqual({ "1 smp://a": { sent: 10 } });
  });
});

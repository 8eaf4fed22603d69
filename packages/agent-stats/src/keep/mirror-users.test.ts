/** Deleting users and resetting where the agent is elsewhere, and may hear of it late. */
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { smp } from "../record/channels.testing.ts";
import { Recorder } from "../record/recorder.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { LocalAgent, overall } from "./mirror.testing.ts";
import { type AgentStats, type KeepAgentOptions, keepStats, openAgentStats } from "./open.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function host(agent: KeepAgentOptions["agent"], database = new MemoryDatabase()): Promise<AgentStats> {
  const options = { agent, protocols: [smp], store: memoryStore(database), flushEvery: 3_600_000 };
  const stats = await keepStats({ ...options, onProblem: (problem) => expect(problem).toBeNull() });
  cleanUps.push(() => stats.close());
  return stats;
}

function newAgent(): LocalAgent {
  const agent = new LocalAgent();
  cleanUps.push(() => agent.end());
  return agent;
}

const count = (agent: LocalAgent, user: string | number, n: number) =>
  agent.recorder.server(smp, user, "smp://a").add("sent", n);
const users = (agent: LocalAgent) => agent.recorder.getServersStats().servers.map(({ userId }) => userId);

describe("a deleted user of an agent elsewhere", () => {
  test("is forgotten there too, and does not come back by what it counts on", async () => {
    const agent = newAgent();
    const stats = await host(agent.connect());
    const late = agent.recorder.server(smp, 1, "smp://a").counter("sent");
    late.add(5);
    count(agent, 10, 7);
    await stats.flush();
    await stats.deleteUser(1);
    expect(users(agent)).toEqual(["10"]);
    late.add(5);
    count(agent, 1, 5);
    expect(overall(await stats.getServersStats())).toEqual({ "10 smp://a": { sent: 7 } });
  });

  test("does not come back while the agent has not heard of it, and it hears of it when it is there again", async () => {
    const agent = newAgent();
    const remote = agent.connect();
    const stats = await host(remote);
    for (const user of [1, 10]) count(agent, user, 5);
    await stats.flush();
    await agent.loseChannel();
    count(agent, 1, 5);
    await stats.deleteUser(1);
    expect(users(agent), "control: it has not heard").toEqual(["1", "10"]);
    expect(overall(await stats.getServersStats())).toEqual({ "10 smp://a": { sent: 5 } });
    count(agent, 1, 5);
    agent.reconnect(remote);
    count(agent, 1, 5);
    expect(overall(await stats.getServersStats())).toEqual({ "10 smp://a": { sent: 5 } });
    expect(users(agent)).toEqual(["10"]);
  });

  test("does not come back by an answer that was on its way when it was deleted", async () => {
    const agent = newAgent();
    const stats = await host(agent.connect());
    count(agent, 1, 5);
    const read = stats.getServersStats();
    await turn();
    const deleted = stats.deleteUser(1);
    await Promise.all([read, deleted]);
    expect(overall(await stats.getServersStats())).toEqual({});
  });

  test("is forgotten by the agent also where another process deleted it, so no later host finds it there", async () => {
    const agent = newAgent();
    const database = new MemoryDatabase();
    const stats = await host(agent.connect(), database);
    for (const user of [1, 10]) count(agent, user, 5);
    await stats.flush();
    const other = await openAgentStats({ protocols: [smp], store: memoryStore(database) });
    await other.deleteUser(1);
    await other.close();
    expect(overall(await stats.getServersStats())).toEqual({ "10 smp://a": { sent: 5 } });
    await stats.close();
    expect(users(agent)).toEqual(["10"]);
    const next = await host(agent.connect(), database);
    expect(overall(await next.getServersStats())).toEqual({ "10 smp://a": { sent: 5 } });
  });

  test("counts again when added again, there too, from zero", async () => {
    const agent = newAgent();
    const stats = await host(agent.connect());
    count(agent, 1, 5);
    await stats.flush();
    await stats.deleteUser(1);
    stats.addUser(1);
    await stats.flush();
    count(agent, 1, 3);
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": { sent: 3 } });
  });

  test("and added again while the agent was away, is forgotten there first and then counted", async () => {
    const agent = newAgent();
    const remote = agent.connect();
    const stats = await host(remote);
    count(agent, 1, 5);
    await stats.flush();
    await agent.loseChannel();
    await stats.deleteUser(1);
    stats.addUser(1);
    agent.reconnect(remote);
    await stats.flush();
    count(agent, 1, 3);
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": { sent: 3 } });
  });

  test("whose sums are to stay in the totals leaves there what the agent had not told yet", async () => {
    const agent = newAgent();
    const stats = await host(agent.connect());
    count(agent, 1, 5);
    await stats.flush();
    count(agent, 1, 3);
    await stats.deleteUser(1, { totals: "anonymise" });
    expect(overall(await stats.getServersStats())).toEqual({ " ": { sent: 8 } });
    expect(users(agent)).toEqual([]);
  });

  test("of an agent that cannot forget is not believed", async () => {
    const recorder = new Recorder({ protocols: [smp] });
    for (const user of [1, 10]) recorder.server(smp, user, "smp://a").add("sent", 5);
    const stats = await host({ getServersStats: () => recorder.getServersStats() });
    await stats.flush();
    await stats.deleteUser(1);
    recorder.server(smp, 1, "smp://a").add("sent", 5);
    expect(overall(await stats.getServersStats())).toEqual({ "10 smp://a": { sent: 5 } });
    stats.addUser(1);
    recorder.server(smp, 1, "smp://a").add("sent", 1);
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": { sent: 1 }, "10 smp://a": { sent: 5 } });
  });

  test("of an agent that fails to forget is told to it again, and others are kept meanwhile", async () => {
    const recorder = new Recorder({ protocols: [smp] });
    for (const user of [1, 10]) recorder.server(smp, user, "smp://a").add("sent", 5);
    const forgetUser = vi.fn((userId: string) => recorder.forgetUser(userId));
    forgetUser.mockImplementationOnce(() => expect.unreachable());
    const stats = await host({ getServersStats: () => recorder.getServersStats(), forgetUser });
    await stats.deleteUser(1);
    expect(forgetUser).toHaveBeenCalledTimes(1);
    expect(overall(await stats.getServersStats())).toEqual({ "10 smp://a": { sent: 5 } });
    expect(forgetUser.mock.calls).toEqual([["1"], ["1"]]);
    await stats.flush();
    expect(forgetUser).toHaveBeenCalledTimes(2);
  });
});

describe("a reset, where the agent is elsewhere", () => {
  test("starts the agent's counters from zero too, within its scope", async () => {
    const agent = newAgent();
    const stats = await host(agent.connect());
    for (const user of [1, 10]) count(agent, user, 5);
    await stats.flush();
    for (const user of [1, 10]) count(agent, user, 2);
    await stats.reset({ userId: 1 });
    expect(agent.recorder.getServersStats().servers.map(({ session }) => session)).toEqual([{}, { sent: 7 }]);
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": {}, "10 smp://a": { sent: 7 } });
    for (const user of [1, 10]) count(agent, user, 1);
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": { sent: 1 }, "10 smp://a": { sent: 8 } });
  });

  test("of an agent that is away, or cannot, begins with what it counted until then", async () => {
    const agent = newAgent();
    const remote = agent.connect();
    const stats = await host(remote);
    count(agent, 1, 5);
    await stats.flush();
    await agent.loseChannel();
    await stats.reset();
    agent.reconnect(remote);
    count(agent, 1, 2);
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": { sent: 2 } });
    const { recorder } = newAgent();
    recorder.server(smp, 1, "smp://a").add("sent", 5);
    const polled = await host({ getServersStats: () => recorder.getServersStats() });
    await polled.flush();
    await polled.reset();
    recorder.server(smp, 1, "smp://a").add("sent", 2);
    expect(overall(await polled.getServersStats())).toEqual({ "1 smp://a": { sent: 2 } });
  });

  test("overtakes no save, and none overtakes it", async () => {
    const agent = newAgent();
    const database = new MemoryDatabase();
    const stats = await host(agent.connect(), database);
    count(agent, 1, 5);
    const all = [stats.flush(), stats.reset(), stats.flush()];
    await Promise.all(all);
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": {} });
    count(agent, 1, 3);
    await stats.close();
    const next = await host(newAgent().connect(), database);
    expect(overall(await next.getServersStats())).toEqual({ "1 smp://a": { sent: 3 } });
  });
});

test("nothing that an agent counts is lost, whatever it is told while it is asked", async () => {
  const call = fc.constantFrom("flush", "read", "deleteNobody", "addNobody", "resetNobody", "turn");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(call, fc.nat(3)), { maxLength: 30 }), async (calls) => {
      const agent = new LocalAgent();
      const database = new MemoryDatabase();
      const stats = await host(agent.connect(), database);
      const running: unknown[] = [];
      let sent = 0;
      for (const [what, n] of calls) {
        if (what === "flush") running.push(stats.flush());
        if (what === "read") running.push(stats.getServersStats());
        if (what === "deleteNobody") running.push(stats.deleteUser("nobody"));
        if (what === "addNobody") stats.addUser("nobody");
        if (what === "resetNobody") running.push(stats.reset({ userId: "nobody" }));
        for (let i = 0; i < n; i++) await turn();
        count(agent, 1, 1);
        sent += 1;
      }
      await Promise.all(running);
      // Asks for changes only: none of them may have been taken away by another answer.
      await stats.close();
      const { sums } = await memoryStore(database).sums(null);
      expect(sums.reduce((sum, { past, open }) => sum + past + open, 0)).toBe(sent);
      agent.end();
    }),
    { numRuns: 200 },
  );
});

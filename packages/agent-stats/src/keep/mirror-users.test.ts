/** Deleting users where the agent is elsewhere, and may hear of it late. */
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { smp } from "../record/channels.testing.ts";
import { Recorder } from "../record/recorder.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { count, hostOf, type LocalAgent, newAgent, overall } from "./mirror.testing.ts";
import { openAgentStats } from "./open.ts";

const users = (agent: LocalAgent) => agent.recorder.getServersStats().servers.map(({ userId }) => userId);

describe("a deleted user of an agent elsewhere", () => {
  test("is forgotten there too, and does not come back by what it counts on", async () => {
    const agent = newAgent();
    const stats = await hostOf(agent.connect());
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
    const stats = await hostOf(remote);
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
    const stats = await hostOf(agent.connect());
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
    const stats = await hostOf(agent.connect(), database);
    for (const user of [1, 10]) count(agent, user, 5);
    await stats.flush();
    const other = await openAgentStats({ protocols: [smp], store: memoryStore(database) });
    await other.deleteUser(1);
    await other.close();
    expect(overall(await stats.getServersStats())).toEqual({ "10 smp://a": { sent: 5 } });
    await stats.close();
    expect(users(agent)).toEqual(["10"]);
    const next = await hostOf(agent.connect(), database);
    expect(overall(await next.getServersStats())).toEqual({ "10 smp://a": { sent: 5 } });
  });

  test("counts again when added again, there too, from zero", async () => {
    const agent = newAgent();
    const stats = await hostOf(agent.connect());
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
    const stats = await hostOf(remote);
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
    const stats = await hostOf(agent.connect());
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
    const stats = await hostOf({ getServersStats: () => recorder.getServersStats() });
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
    const stats = await hostOf({ getServersStats: () => recorder.getServersStats(), forgetUser });
    await stats.deleteUser(1);
    expect(forgetUser).toHaveBeenCalledTimes(1);
    expect(overall(await stats.getServersStats())).toEqual({ "10 smp://a": { sent: 5 } });
    expect(forgetUser.mock.calls).toEqual([["1"], ["1"]]);
    await stats.flush();
    expect(forgetUser).toHaveBeenCalledTimes(2);
  });
});

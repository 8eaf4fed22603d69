import { setTimeout as sleep } from "node:timers/promises";
import { MessageChannel } from "node:worker_threads";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type AgentElsewhere, KINDS, smp, whyNotAll } from "./channels.testing.ts";
import { connectRecorder } from "./connect.ts";
import type { Recorded } from "./recorder.ts";
import { Recorder } from "./recorder.ts";
import { serveRecorder } from "./serve.ts";

if (whyNotAll !== null) console.log(`skipped: an agent behind ${whyNotAll}`);

const agents: AgentElsewhere[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const agent of agents.splice(0)) await agent.kill();
});

async function start(kind: string): Promise<AgentElsewhere> {
  const agent = await (KINDS[kind] as () => Promise<AgentElsewhere>)();
  agents.push(agent);
  return agent;
}

const CHANGED_ONLY = { changedOnly: true };

/** What was told, as `user server` → counters and gauges. */
function numbers({ servers }: Recorded): Record<string, Record<string, number>> {
  return Object.fromEntries(servers.map((s) => [`${s.userId} ${s.server}`, { ...s.session, ...s.live }]));
}

describe.each(Object.keys(KINDS))("an agent behind %s", (kind) => {
  test("tells everything, or what changed since it was last asked; each number absolute", async () => {
    const agent = await start(kind);
    const remote = connectRecorder(agent.channel);
    agent.act("add", "1", "smp://a", "sent", 2 ** 40);
    agent.act("add", "10", "smp://a", "received", 7);
    agent.act("set", "10", "smp://a", "connected", 3);
    const first = await remote.getServersStats(CHANGED_ONLY);
    expect(first.session).toMatch(/./);
    expect(first.servers[0]).toEqual({
      ...{ protocol: "smp", userId: "1", server: "smp://a", live: {} },
      ...{ session: { sent: 2 ** 40 }, total: { sent: 2 ** 40 } },
    });
    expect(numbers(first)).toEqual({ "1 smp://a": { sent: 2 ** 40 }, "10 smp://a": { received: 7, connected: 3 } });
    agent.act("add", "10", "smp://a", "received", 1);
    expect(numbers(await remote.getServersStats(CHANGED_ONLY))).toEqual({
      "10 smp://a": { received: 8, connected: 3 },
    });
    expect(numbers(await remote.getServersStats(CHANGED_ONLY))).toEqual({});
    const all = await remote.getServersStats();
    expect(numbers(all)).toEqual({ "1 smp://a": { sent: 2 ** 40 }, "10 smp://a": { received: 8, connected: 3 } });
    expect(all.session).toBe(first.session);
  });

  test("forgets a user, counts for it again, and starts from zero what a scope covers", async () => {
    const agent = await start(kind);
    const remote = connectRecorder(agent.channel);
    const count = () => {
      for (const user of ["1", "10"])
        for (const server of ["smp://a", "smp://b"]) agent.act("add", user, server, "sent", 5);
    };
    count();
    await remote.forgetUser("1");
    count();
    expect(numbers(await remote.getServersStats())).toEqual({ "10 smp://a": { sent: 10 }, "10 smp://b": { sent: 10 } });
    await remote.addUser("1");
    count();
    await remote.reset({ userId: "10", server: "smp://a" });
    expect(numbers(await remote.getServersStats())).toEqual({
      ...{ "1 smp://a": { sent: 5 }, "1 smp://b": { sent: 5 } },
      ...{ "10 smp://a": {}, "10 smp://b": { sent: 15 } },
    });
    await remote.reset({});
    expect(Object.values(numbers(await remote.getServersStats()))).toEqual([{}, {}, {}, {}]);
  });

  test("sends nothing while nothing is counted, and one message for any number of counts", async () => {
    const agent = await start(kind);
    const remote = connectRecorder(agent.channel);
    const told: boolean[] = [];
    remote.listen?.((urgent) => told.push(urgent));
    await remote.getServersStats();
    await sleep(50);
    const before = agent.messages();
    told.length = 0;
    await sleep(200);
    expect(agent.messages() - before, "idle").toBe(0);
    for (let i = 0; i < 1_000; i++) agent.act("add", "1", "smp://a", "sent", 1);
    agent.act("set", "1", "smp://a", "connected", 1);
    await vi.waitFor(() => expect(told).toEqual([false]));
    for (let i = 0; i < 100; i++) agent.act("add", "1", "smp://a", "errors", 1);
    await vi.waitFor(() => expect(told).toEqual([false, true]));
    await sleep(100);
    expect(agent.messages() - before).toBe(2);
    expect(numbers(await remote.getServersStats())).toEqual({
      "1 smp://a": { sent: 1_000, errors: 100, connected: 1 },
    });
    expect(agent.messages() - before).toBe(4);
  });

  test("is known to be gone at once, and another one is gone on with", async () => {
    const [first, second] = [await start(kind), await start(kind)];
    const remote = connectRecorder(first.channel);
    const { session } = await remote.getServersStats();
    const told = vi.fn();
    remote.listen?.(told);
    await first.kill();
    const began = performance.now();
    for (const call of [remote.getServersStats(), remote.forgetUser("1"), remote.addUser("1"), remote.reset({})]) {
      await expect(call).rejects.toThrow("does not answer");
    }
    // To wait for an answer takes 5 seconds.
    expect(performance.now() - began).toBeLessThan(2_500);
    expect(told).not.toHaveBeenCalled();
    remote.attach(second.channel);
    expect(told).toHaveBeenCalledTimes(1);
    second.act("add", "1", "smp://a", "sent", 3);
    const again = await remote.getServersStats();
    expect(numbers(again)).toEqual({ "1 smp://a": { sent: 3 } });
    expect(again.session).not.toBe(session);
  });

  test("that dies while it is asked fails the question at once", async () => {
    const agent = await start(kind);
    const remote = connectRecorder(agent.channel);
    await remote.getServersStats();
    const killed = agent.kill();
    const began = performance.now();
    await expect(Promise.all([remote.getServersStats(), remote.reset({})])).rejects.toThrow("does not answer");
    await killed;
    expect(performance.now() - began).toBeLessThan(2_500);
  });
});

describe("one recorder, one host after another", () => {
  test("the old channel's end does not silence the new one", async () => {
    const recorder = new Recorder({ protocols: [smp] });
    const [old, young] = [new MessageChannel(), new MessageChannel()];
    serveRecorder(recorder, old.port1);
    serveRecorder(recorder, young.port1);
    const remote = connectRecorder(young.port2);
    const told = vi.fn();
    remote.listen?.(told);
    await remote.getServersStats();
    told.mockClear();
    old.port2.close();
    await new Promise((resolve) => old.port1.on("close", resolve));
    recorder.server(smp, 1, "smp://a").add("sent");
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1));
    young.port2.close();
  });

  test("who comes when there is something to tell is told so", async () => {
    const recorder = new Recorder({ protocols: [smp] });
    recorder.server(smp, 1, "smp://a").add("errors");
    const { port1, port2 } = new MessageChannel();
    const remote = connectRecorder(port2);
    const told: boolean[] = [];
    remote.listen?.((urgent) => told.push(urgent));
    serveRecorder(recorder, port1);
    await vi.waitFor(() => expect(told).toContain(true));
    port1.close();
  });

  test("an answer that came too late tells that the agent is back", async () => {
    const { port1, port2 } = new MessageChannel();
    const remote = connectRecorder(port2);
    const told = vi.fn();
    remote.listen?.(told);
    const request = new Promise<{ id: number }>((resolve) => {
      port1.on("message", (message) => "id" in message && resolve(message));
    });
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const asked = expect(remote.getServersStats()).rejects.toThrow("does not answer");
    await vi.advanceTimersByTimeAsync(10_000);
    await asked;
    vi.useRealTimers();
    expect(told).not.toHaveBeenCalled();
    port1.postMessage({ agentStats: "stats", id: (await request).id, ...new Recorder().getServersStats() });
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1));
    port1.close();
  });
});

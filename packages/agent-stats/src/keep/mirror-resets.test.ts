/** Resetting where the agent is elsewhere, and may hear of it late; and that nothing is lost by what it is told. */
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { smp } from "../record/channels.testing.ts";
import { Recorder } from "../record/recorder.ts";
import { eachSum } from "../store/contract-support.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { count, hostOf, LocalAgent, newAgent, overall } from "./mirror.testing.ts";
import { keepStats, openAgentStats } from "./open.ts";
import { gate } from "./watched.testing.ts";

describe("a reset, where the agent is elsewhere", () => {
  test("starts the agent's counters from zero too, within its scope", async () => {
    const agent = newAgent();
    const stats = await hostOf(agent.connect());
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
    const stats = await hostOf(remote);
    count(agent, 1, 5);
    await stats.flush();
    await agent.loseChannel();
    await stats.reset();
    agent.reconnect(remote);
    count(agent, 1, 2);
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": { sent: 2 } });
    const { recorder } = newAgent();
    recorder.server(smp, 1, "smp://a").add("sent", 5);
    const polled = await hostOf({ getServersStats: () => recorder.getServersStats() });
    await polled.flush();
    await polled.reset();
    recorder.server(smp, 1, "smp://a").add("sent", 2);
    expect(overall(await polled.getServersStats())).toEqual({ "1 smp://a": { sent: 2 } });
  });

  test("by another process is followed by the agent, so no later host finds there what was reset", async () => {
    const agent = newAgent();
    const database = new MemoryDatabase();
    const stats = await hostOf(agent.connect(), database);
    for (const user of [1, 10]) count(agent, user, 100);
    await stats.flush();
    const other = await openAgentStats({ protocols: [smp], store: memoryStore(database) });
    await other.reset({ userId: 1 });
    await other.close();
    // What was not saved when it was reset counts as after it.
    count(agent, 1, 7);
    await stats.flush();
    await stats.flush();
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": { sent: 7 }, "10 smp://a": { sent: 100 } });
    await stats.close();
    count(agent, 1, 3);
    const next = await hostOf(agent.connect(), database);
    expect(overall(await next.getServersStats())).toEqual({ "1 smp://a": { sent: 10 }, "10 smp://a": { sent: 100 } });
  });

  test("that an agent followed, whose answer was lost, leaves nothing that its next numbers are compared with", async () => {
    const { recorder } = newAgent();
    let answers = true;
    const agent = {
      getServersStats: () => (answers ? recorder.getServersStats() : null),
      reset: (scope: object) => recorder.reset(scope),
    };
    const stats = await hostOf(agent);
    const sent = recorder.server(smp, 1, "smp://a").counter("sent");
    sent.add(5);
    await stats.flush();
    answers = false;
    await stats.reset();
    answers = true;
    sent.add(7);
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": { sent: 7 } });
  });

  test("that the store refuses resets nothing, at the agent neither", async () => {
    const agent = newAgent();
    const inner = memoryStore();
    let fails = true;
    const reset: typeof inner.reset = (...args) =>
      fails ? Promise.reject(new Error("it fails on demand")) : inner.reset(...args);
    const store = { ...inner, reset };
    const stats = await keepStats({ agent: agent.connect(), protocols: [smp], store, onProblem: () => {} });
    count(agent, 1, 5);
    await expect(stats.reset()).rejects.toMatchObject({ code: "STATS_STORE_FAILED" });
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": { sent: 5 } });
    expect(agent.recorder.getServersStats().servers[0]?.session).toEqual({ sent: 5 });
    fails = false;
    await stats.reset();
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": {} });
    expect(agent.recorder.getServersStats().servers[0]?.session).toEqual({});
    await stats.close();
  });

  test("overtakes no save, and none overtakes it", async () => {
    const agent = newAgent();
    const database = new MemoryDatabase();
    const stats = await hostOf(agent.connect(), database);
    count(agent, 1, 5);
    const all = [stats.flush(), stats.reset(), stats.flush()];
    await Promise.all(all);
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": {} });
    count(agent, 1, 3);
    await stats.close();
    const next = await hostOf(newAgent().connect(), database);
    expect(overall(await next.getServersStats())).toEqual({ "1 smp://a": { sent: 3 } });
  });
});

test("what changed is asked for, and everything where an answer to something else took changes away", async () => {
  const recorder = new Recorder({ protocols: [smp] });
  const asked: boolean[] = [];
  let { open, pass } = gate();
  pass();
  const agent = {
    getServersStats({ changedOnly } = { changedOnly: false }) {
      asked.push(changedOnly);
      const changed = recorder.takeChanges();
      const answer = recorder.recordedOf(changedOnly ? changed : recorder.rows());
      return open.then(() => answer);
    },
    forgetUser(userId: string) {
      recorder.forgetUser(userId);
      recorder.takeChanges();
    },
  };
  const database = new MemoryDatabase();
  const stats = await hostOf(agent, database);
  const sent = recorder.server(smp, 1, "smp://a").counter("sent");
  for (let i = 0; i < 3; i++) {
    sent.add();
    await stats.flush();
  }
  expect(asked.slice(0, 3)).toEqual([false, true, true]);
  ({ open, pass } = gate());
  sent.add();
  const flushed = stats.flush();
  await turn();
  sent.add();
  const deleted = stats.deleteUser("nobody");
  await turn();
  pass();
  await Promise.all([flushed, deleted]);
  await stats.close();
  const sums = eachSum(await memoryStore(database).sums(null));
  expect(sums.map(({ open: counted }) => counted)).toEqual([5]);
});

test("nothing that an agent counts is lost, whatever it is told while it is asked", async () => {
  const call = fc.constantFrom("flush", "read", "deleteNobody", "addNobody", "resetNobody", "turn");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(call, fc.nat(3)), { maxLength: 30 }), async (calls) => {
      const agent = new LocalAgent();
      const database = new MemoryDatabase();
      const stats = await hostOf(agent.connect(), database);
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
      const sums = eachSum(await memoryStore(database).sums(null));
      expect(sums.reduce((sum, { past, open }) => sum + past + open, 0)).toBe(sent);
      agent.end();
    }),
    { numRuns: 200 },
  );
});

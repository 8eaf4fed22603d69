/** What an agent elsewhere is asked, told and believed, answer by answer. */
import { afterEach, describe, expect, test, vi } from "vitest";
import type { StatsAgent } from "../record/connect.ts";
import { defineProtocol } from "../record/protocol.ts";
import { memoryStore } from "../store/memory.ts";
import { keepStats } from "./open.ts";
import { gate, watched } from "./watched.testing.ts";

const smp = defineProtocol("smp", { sent: "messages sent", connected: { help: "1 while connected", gauge: true } });

afterEach(() => void vi.useRealTimers());

interface Told {
  session?: string;
  sent?: Record<string, number>;
  live?: Record<string, number>;
  protocol?: string;
}

/** What an agent says that has counted so much of each user. */
function stats({ session = "s", sent = {}, live = {}, protocol = "smp" }: Told) {
  const users = [...new Set([...Object.keys(sent), ...Object.keys(live)])];
  const servers = users.map((userId) => ({
    ...{ protocol, userId, server: "smp://a", total: {} },
    session: sent[userId] === undefined ? {} : { sent: sent[userId] },
    live: live[userId] === undefined ? {} : { connected: live[userId] },
  }));
  return { session, servers, rejected: {} };
}

/** A host of an agent that answers what the test says, and what it was asked and told. */
async function hosting(first: Told, more: Partial<StatsAgent> = {}, store = memoryStore()) {
  const asked: string[] = [];
  const next: { answer: () => unknown } = { answer: () => stats(first) };
  const agent: StatsAgent = {
    getServersStats(which) {
      asked.push(which?.changedOnly ? "changes" : "all");
      return next.answer();
    },
    ...more,
  };
  const host = await keepStats({ agent, protocols: [smp], store, flushEvery: 3_600_000, onProblem: () => {} });
  const shown = async () => {
    const { servers } = await host.getServersStats();
    return Object.fromEntries(servers.map(({ userId, overall, live }) => [userId, { ...overall, ...live }]));
  };
  const inMemory = () => {
    const { servers } = host.recorder.getServersStats();
    return Object.fromEntries(servers.map(({ userId, session, live }) => [userId, { ...session, ...live }]));
  };
  await host.flush();
  return { host, asked, next, shown, inMemory };
}

const broken = () => {
  throw new Error("it fails");
};

describe("an agent is asked", () => {
  test("for everything at first and when somebody looks, else for what changed", async () => {
    const { host, asked, shown } = await hosting({ sent: { 1: 5 } });
    expect(asked.splice(0)).toEqual(["all"]);
    await host.flush();
    await host.getSessions();
    await host.getTimeline();
    expect(asked.splice(0)).toEqual(["changes", "changes", "changes"]);
    expect(await shown()).toEqual({ 1: { sent: 5 } });
    expect(asked.splice(0)).toEqual(["all"]);
    await host.close();
    await host.close();
    expect(asked).toEqual(["changes"]);
  });

  test("for everything after an answer that did not come, and after each word to it", async () => {
    const deeds = { forgetUser: vi.fn(), addUser: vi.fn(), reset: vi.fn() };
    const { host, asked, next } = await hosting({ sent: { 1: 5 } }, deeds);
    const answer = next.answer;
    next.answer = broken;
    await host.flush();
    next.answer = answer;
    asked.splice(0);
    await host.flush();
    await host.flush();
    expect(asked.splice(0)).toEqual(["all", "changes"]);
    await host.deleteUser(7);
    host.addUser(7);
    await host.flush();
    await host.flush();
    expect(asked.splice(0)).toEqual(["all", "changes"]);
    await host.reset({ userId: 1 });
    await host.flush();
    await host.flush();
    expect(asked.at(-1)).toBe("changes");
    expect([deeds.forgetUser.mock.calls, deeds.addUser.mock.calls, deeds.reset.mock.calls]).toEqual([
      [["7"]],
      [["7"]],
      [[{ userId: "1" }]],
    ]);
    await host.close();
  });

  test("again, for everything, where it was started again; and once more where that could not be kept", async () => {
    const watch = watched();
    const { host, asked, next, shown } = await hosting({ sent: { 1: 5 } }, {}, watch.store);
    asked.splice(0);
    next.answer = () => stats({ session: "t", sent: { 1: 2, 2: 3 } });
    watch.fails = { code: "STATS_DISK_FULL", when: "before" };
    await expect(host.flush()).rejects.toThrow();
    watch.fails = null;
    await host.flush();
    expect(asked.splice(0)).toEqual(["changes", "all", "all"]);
    expect(await shown()).toEqual({ 1: { sent: 7 }, 2: { sent: 3 } });
    const how = (await host.getSessions()).map((session) => session.how);
    expect([new Set(how.slice(0, -1)), how.at(-1)]).toEqual([new Set(["agent"]), "running"]);
    await host.close();
  });
});

describe("an agent that does not answer", () => {
  test("is away until it does, and what it showed is not known meanwhile; what it counted stays", async () => {
    const { host, next, inMemory } = await hosting({ sent: { 1: 5 }, live: { 1: 3 } });
    expect([host.agentIsAway, inMemory()]).toEqual([false, { 1: { sent: 5, connected: 3 } }]);
    for (const answer of [broken, () => Promise.reject(new Error("no")), () => ({ nonsense: true }), () => null]) {
      next.answer = answer;
      await host.flush();
      expect([host.agentIsAway, inMemory()]).toEqual([true, { 1: { sent: 5 } }]);
      next.answer = () => stats({ sent: { 1: 5 }, live: { 1: 3 } });
      await host.flush();
      expect([host.agentIsAway, inMemory()]).toEqual([false, { 1: { sent: 5, connected: 3 } }]);
    }
    await host.close();
  });

  test("when it is asked for everything, as it was started again, is away", async () => {
    const { host, next, inMemory } = await hosting({ sent: { 1: 5 } });
    const answers = [() => stats({ session: "t", sent: { 1: 2 } }), broken];
    next.answer = () => answers.shift()?.();
    await host.flush();
    expect([host.agentIsAway, host.problem, inMemory()]).toEqual([true, null, { 1: { sent: 5 } }]);
    next.answer = () => stats({ session: "t", sent: { 1: 2 } });
    await host.flush();
    expect(host.agentIsAway).toBe(false);
    await host.close();
  });

  test("is waited for five seconds; one that does leaves no timer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { host, next } = await hosting({});
    expect(vi.getTimerCount()).toBe(1);
    const { open, pass } = gate();
    next.answer = () => open;
    const flushed = host.flush();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(host.agentIsAway).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await flushed;
    expect(host.agentIsAway).toBe(true);
    pass();
    vi.useRealTimers();
    await host.close();
  });
});

describe("what is live", () => {
  test("is what the last answer with everything showed; one with changes takes nothing away", async () => {
    const { host, next, inMemory } = await hosting({ live: { 1: 1, 2: 2 } });
    next.answer = () => stats({ live: { 2: 5 } });
    await host.flush();
    expect(inMemory()).toEqual({ 1: { connected: 1 }, 2: { connected: 5 } });
    await host.getServersStats();
    expect(inMemory()).toEqual({ 1: {}, 2: { connected: 5 } });
    await host.close();
  });

  test("of an agent that was started again is what it shows then", async () => {
    const { host, next, inMemory } = await hosting({ live: { 1: 1, 2: 2 } });
    next.answer = () => stats({ session: "t", live: { 2: 7 } });
    await host.flush();
    expect(inMemory()).toEqual({ 1: {}, 2: { connected: 7 } });
    await host.close();
  });
});

describe("what is counted", () => {
  test("is what grew; what went back is carried forward, and a protocol that is not known counts nowhere", async () => {
    const { host, next, inMemory } = await hosting({ sent: { 1: 5 } });
    for (const [sent, all] of [
      [5, 5],
      [7, 7],
      [2, 9],
      [3, 10],
    ] as const) {
      next.answer = () => stats({ sent: { 1: sent } });
      await host.flush();
      expect(inMemory()).toEqual({ 1: { sent: all } });
    }
    next.answer = () => stats({ protocol: "xftp", sent: { 1: 9 } });
    await host.flush();
    expect(inMemory()).toEqual({ 1: { sent: 10 } });
    expect(host.recorder.getServersStats().rejected).toMatchObject({ unknownName: 1, badKey: 0 });
    await host.close();
  });
});

describe("an agent that can be told", () => {
  test("of a reset is told until it has heard it, and its next numbers are counted from zero", async () => {
    let fails = true;
    const reset = vi.fn(async () => {
      if (fails) broken();
    });
    const { host, next, inMemory } = await hosting({ sent: { 1: 5, 2: 6 } }, { reset });
    await host.reset({ userId: 1 });
    await host.flush();
    const before = reset.mock.calls.length;
    expect(before).toBeGreaterThan(1);
    fails = false;
    await host.flush();
    next.answer = () => stats({ sent: { 1: 5, 2: 6 } });
    await host.flush();
    await host.flush();
    expect(reset.mock.calls.length).toBe(before + 1);
    // It began anew, and stands by chance where it stood before.
    expect(inMemory()).toEqual({ 1: { sent: 5 }, 2: { sent: 6 } });
    await host.close();
  });

  test("of a deletion counts from zero for a user who is added again; others go on where they were", async () => {
    const forgetUser = vi.fn();
    const { host, next, inMemory } = await hosting({ sent: { 1: 5, 2: 6 } }, { forgetUser });
    await host.deleteUser(1);
    host.addUser(1);
    next.answer = () => stats({ sent: { 1: 5, 2: 7 } });
    await host.flush();
    expect([inMemory(), forgetUser.mock.calls]).toEqual([{ 2: { sent: 7 }, 1: { sent: 5 } }, [["1"]]]);
    await host.close();
  });

  test("of nothing is not: deletions and resets begin with what it counted until then", async () => {
    const { host, next, inMemory } = await hosting({ sent: { 1: 5, 2: 6 } });
    await host.reset({ userId: 2 });
    await host.deleteUser(1);
    host.addUser(1);
    next.answer = () => stats({ sent: { 1: 7, 2: 7 } });
    await host.flush();
    expect([inMemory(), host.problem]).toEqual([{ 1: { sent: 2 }, 2: { sent: 1 } }, null]);
    await host.close();
  });
});

describe("an agent that tells of its changes", () => {
  test("wakes its host with the first, soon where it is urgent; and is not listened to any more in the end", async () => {
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "performance", "Date"],
      now: Date.UTC(2026, 10, 23, 10, 5),
    });
    const heard: { onChange: ((urgent: boolean) => void) | null } = { onChange: null };
    const listen: StatsAgent["listen"] = (onChange) => {
      heard.onChange = onChange;
    };
    const { host, asked } = await hosting({}, { listen });
    asked.splice(0);
    await vi.advanceTimersByTimeAsync(600_000);
    expect([asked, vi.getTimerCount()]).toEqual([[], 0]);
    heard.onChange?.(true);
    await vi.advanceTimersByTimeAsync(199);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toEqual(["changes"]);
    heard.onChange?.(false);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(asked).toEqual(["changes"]);
    vi.useRealTimers();
    await host.close();
    expect(heard.onChange).toBeNull();
  });
});

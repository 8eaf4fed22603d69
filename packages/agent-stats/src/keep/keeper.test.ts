import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import { memoryStore } from "../store/memory.ts";
import { type AgentStats, keepStats, openAgentStats } from "./open.ts";
import { gate, watched } from "./watched.testing.ts";

const smp = defineProtocol("smp", {
  sent: "messages sent",
  attempts: { help: "messages tried", attemptsOf: "sent" },
  errors: { help: "messages refused", error: true },
});

const FLUSH_EVERY = 5_000;
const HOUR = 3_600_000;
/** Five minutes past an hour. */
const NOW = Date.UTC(2026, 10, 23, 10, 5);

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"], now: NOW }));
afterEach(() => void vi.useRealTimers());

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const overall = async (stats: AgentStats) => {
  const { servers } = await stats.getServersStats();
  return Object.fromEntries(servers.map((each) => [`${each.userId} ${each.server}`, each.overall]));
};

/** A keeper over a store that is watched, with two servers. */
async function opened(flushEvery = FLUSH_EVERY) {
  const watch = watched();
  const stats = await openAgentStats({ protocols: [smp], store: watch.store, flushEvery });
  // It is ready before it has tidied up.
  await pass(0);
  expect(watch.calls.at(-1)).toBe("erase");
  watch.calls.length = 0;
  return { watch, stats, a: stats.server(smp, 1, "smp://a"), b: stats.server(smp, 1, "smp://b") };
}

describe("what is saved, and when", () => {
  test("a change is saved once, with the flush interval, and not before", async () => {
    const { watch, a } = await opened();
    a.add("sent", 3);
    await pass(FLUSH_EVERY - 1);
    expect(watch.saves).toEqual([]);
    a.add("sent", 4);
    await pass(1);
    const hour = Math.floor(NOW / HOUR);
    expect(watch.saves).toEqual([{ at: NOW + FLUSH_EVERY, hour, counts: { "1 smp://a sent": 7 } }]);
  });

  test("only counters that changed are saved, as what this hour of the session holds", async () => {
    const { watch, stats, a, b } = await opened();
    a.add("sent", 3);
    a.add("attempts", 4);
    b.add("sent", 5);
    await stats.flush();
    b.add("sent", 1);
    await stats.flush();
    a.add("attempts", 1);
    await pass(FLUSH_EVERY);
    expect(watch.saves.map(({ counts }) => counts)).toEqual([
      { "1 smp://a sent": 3, "1 smp://a attempts": 4, "1 smp://b sent": 5 },
      { "1 smp://b sent": 6 },
      { "1 smp://a attempts": 5 },
    ]);
  });

  test("nothing is asked of the store and no timer runs while nothing changes", async () => {
    const { watch, stats, a } = await opened();
    expect(vi.getTimerCount(), "after the start").toBe(0);
    a.add("sent", 0);
    a.add("sent", -1);
    await pass(5 * HOUR);
    expect([watch.calls, vi.getTimerCount()]).toEqual([[], 0]);
    a.add("sent");
    expect(vi.getTimerCount(), "control: one runs while there is something to save").toBe(1);
    await pass(FLUSH_EVERY);
    expect(watch.calls).toEqual(["save"]);
    await pass(5 * HOUR);
    expect([watch.calls, vi.getTimerCount()]).toEqual([["save"], 0]);
    await stats.flush();
    expect(watch.calls, "nothing to flush").toEqual(["save"]);
  });

  test("error counters are saved within 250 ms, however long the interval is, and whatever waits already", async () => {
    const { watch, a, b } = await opened(60_000);
    a.add("sent");
    await pass(10_000);
    expect(watch.saves, "control: others are not").toEqual([]);
    b.counter("errors").add();
    await pass(250);
    expect(watch.saves.map(({ counts }) => counts)).toEqual([{ "1 smp://a sent": 1, "1 smp://b errors": 1 }]);
    a.add("errors");
    await pass(250);
    expect(watch.saves[1]?.counts).toEqual({ "1 smp://a errors": 1 });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an hour's counts are saved in that hour, at its end", async () => {
    const { watch, a } = await opened();
    vi.setSystemTime(NOW - (NOW % HOUR) + HOUR - 2_000);
    a.add("sent", 3);
    await pass(1_999);
    a.add("sent", 4);
    await pass(1);
    a.add("sent", 100);
    await pass(FLUSH_EVERY);
    const hour = Math.floor(NOW / HOUR);
    expect(watch.saves.map(({ hour: of, counts }) => [of, counts])).toEqual([
      [hour, { "1 smp://a sent": 7 }],
      [hour + 1, { "1 smp://a sent": 100 }],
    ]);
  });

  test("what was counted before and while it starts is in the sums, and is saved without further changes", async () => {
    const recorder = new Recorder({ protocols: [smp] });
    const server = recorder.server(smp, 1, "smp://a");
    server.add("sent", 3);
    const { open, pass: go } = gate();
    const watch = watched();
    watch.until = open;
    const opening = keepStats({ agent: recorder, store: watch.store });
    server.add("sent", 4);
    await pass(20_000);
    server.counter("sent").add(5);
    go();
    const stats = await opening;
    expect(await overall(stats)).toEqual({ "1 smp://a": { sent: 12 } });
    await pass(FLUSH_EVERY);
    expect(watch.saves.at(-1)?.counts).toEqual({ "1 smp://a sent": 12 });
  });

  test("the same where the past is loaded", async () => {
    const store = memoryStore();
    const first = await openAgentStats({ protocols: [smp], store });
    first.server(smp, 1, "smp://a").add("sent", 100);
    await first.close();
    const { open, pass: go } = gate();
    const watch = watched(store);
    watch.until = open;
    const opening = openAgentStats({ protocols: [smp], store: watch.store, startFrom: "past" });
    go();
    const stats = await opening;
    stats.server(smp, 1, "smp://a").add("sent", 5);
    expect(stats.recorder.getServersStats().servers).toMatchObject([{ session: { sent: 5 }, total: { sent: 105 } }]);
    const shown = { past: { sent: 100 }, session: { sent: 5 }, overall: { sent: 105 } };
    expect((await stats.getServersStats()).servers).toMatchObject([shown]);
    await pass(FLUSH_EVERY);
    expect(
      watch.saves.map(({ counts }) => counts),
      "of this session only",
    ).toEqual([{ "1 smp://a sent": 5 }]);
    await stats.close();
    const third = await openAgentStats({ protocols: [smp], store });
    expect(await overall(third)).toEqual({ "1 smp://a": { sent: 105 } });
    expect((await third.getSessions()).map(({ how }) => how)).toEqual(["close", "close", "running"]);
  });
});

describe("while a save is in flight", () => {
  test("no other is begun, and what arrives meanwhile is saved next", async () => {
    const { watch, stats, a, b } = await opened();
    watch.mostAtOnce = 0;
    const { open, pass: go } = gate();
    watch.until = open;
    a.add("sent", 3);
    await pass(FLUSH_EVERY);
    expect(watch.calls).toEqual(["save"]);
    a.add("sent", 4);
    b.add("errors", 5);
    const flushed = [stats.flush(), stats.flush()];
    await pass(10 * FLUSH_EVERY);
    expect(watch.calls, "still the first").toEqual(["save"]);
    go();
    await Promise.all(flushed);
    expect(watch.saves.map(({ counts }) => counts)).toEqual([
      { "1 smp://a sent": 3 },
      { "1 smp://a sent": 7, "1 smp://b errors": 5 },
    ]);
    expect(watch.mostAtOnce).toBe(1);
  });

  test("what arrives after the store has it and before it answers is not taken for saved", async () => {
    const { watch, stats, a } = await opened();
    const { open, pass: go } = gate();
    watch.answersUntil = open;
    a.add("sent", 3);
    const flushed = stats.flush();
    await pass(1);
    expect(watch.saves).toHaveLength(1);
    a.add("sent", 4);
    go();
    await flushed;
    await pass(FLUSH_EVERY);
    expect(watch.saves.map(({ counts }) => counts)).toEqual([{ "1 smp://a sent": 3 }, { "1 smp://a sent": 7 }]);
  });

  test("flush resolves when all is saved that was counted before it was called", async () => {
    const { watch, stats, a } = await opened();
    const { open, pass: go } = gate();
    watch.until = open;
    a.add("sent", 3);
    const first = stats.flush();
    await pass(1);
    a.add("sent", 4);
    let done = false;
    const second = stats.flush().then(() => {
      done = true;
    });
    await pass(1);
    expect(done).toBe(false);
    go();
    await Promise.all([first, second]);
    expect(watch.saves.at(-1)?.counts).toEqual({ "1 smp://a sent": 7 });
  });
});

test("a snapshot is one moment: nothing that is counted after something else is ahead of it", async () => {
  const { watch, stats, a, b } = await opened(50);
  const countAt = async (moments: number) => {
    for (let i = 0; i < moments; i++) {
      for (const server of [a, b]) server.add("attempts");
      await null;
      for (const server of [b, a]) server.add("sent");
      await null;
    }
  };
  let different = 0;
  for (let i = 0; i < 200; i++) {
    if (i % 10 === 0) await pass(50);
    const [{ servers }] = await Promise.all([stats.getServersStats(), countAt(10 + (i % 7))]);
    for (const { session, overall: all } of servers) {
      for (const { sent = 0, attempts = 0 } of [session, all]) {
        expect(attempts - sent).toBeOneOf([0, 1]);
        different += attempts - sent;
      }
    }
    const [one, other] = servers.map(({ overall: all }) => all.attempts);
    expect(one, "both servers at the same moment").toBe(other);
  }
  expect(watch.saves.length).toBeGreaterThan(5);
  expect(different, "control: they differ at times").toBeGreaterThan(0);
});

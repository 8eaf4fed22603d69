import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { memoryStore } from "../store/memory.ts";
import { timelineOf } from "../summarise/timeline.ts";
import { openAgentStats } from "./open.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const TEN_YEARS = 3_653 * 24 * HOUR;
const NOON = Date.UTC(2026, 10, 23, 12);

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOON + 10 * MINUTE }));
afterEach(() => void vi.useRealTimers());

type Step = { jump: number } | { count: number } | "flush" | "restart";

/** A host whose clock jumps; every number it counts is another power of two, so that none can stand for others. */
async function live(steps: readonly Step[]) {
  const store = memoryStore();
  const open = () => openAgentStats({ protocols: [smp], store, flushEvery: 3_600_000, keepHistory: 36_500 });
  let stats = await open();
  let counted = 0;
  for (const step of steps) {
    if (step === "flush") await stats.flush();
    else if (step === "restart") {
      await stats.close();
      stats = await open();
    } else if ("jump" in step) vi.setSystemTime(Date.now() + step.jump);
    else {
      stats.server(smp, 1, "smp://a").add("sent", step.count);
      counted += step.count;
    }
  }
  await stats.flush();
  const { servers } = await stats.getServersStats();
  const hours = timelineOf(await store.hours(-1e9, 1e9));
  const sessions = await stats.getSessions();
  await stats.close();
  return { counted, overall: servers[0]?.overall.sent ?? 0, hours, sessions };
}

/** What must be true, whatever the clock did. */
function hold({ counted, overall, hours, sessions }: Awaited<ReturnType<typeof live>>): void {
  expect(overall, "no count is lost or doubled").toBe(counted);
  const byHour = hours.reduce((sum, { counters }) => sum + (counters.sent ?? 0), 0);
  expect(byHour, "the timeline holds the same").toBe(counted);
  const distinct = new Set(hours.map(({ start, server }) => `${start.getTime()} ${server}`));
  expect(distinct.size, "no hour is told twice").toBe(hours.length);
  for (const { started, lastSaved, ended, how } of sessions) {
    expect(lastSaved.getTime(), "no session is saved before it began").toBeGreaterThanOrEqual(started.getTime());
    if (how !== "running") expect(ended?.getTime()).toBeGreaterThanOrEqual(lastSaved.getTime());
  }
  const order = sessions.map(({ session }) => session);
  expect(order).toEqual([...order].sort((a, b) => a - b));
}

const hourOf = (ms: number) => Math.floor(ms / HOUR);

describe("a clock that", () => {
  test("runs: each hour holds what was counted in it", async () => {
    const lived = await live([
      { count: 1 },
      "flush",
      { jump: HOUR },
      { count: 2 },
      { jump: MINUTE },
      { count: 4 },
      "flush",
    ]);
    hold(lived);
    expect(lived.hours.map(({ start, counters }) => [hourOf(start.getTime() - NOON), counters.sent])).toEqual([
      [0, 1],
      [1, 6],
    ]);
    expect(lived.sessions).toHaveLength(1);
  });

  test.each([
    ["jumps ten years ahead", TEN_YEARS, 1],
    ["is set back ten years", -TEN_YEARS, 2],
    ["is set back a day", -24 * HOUR, 2],
    ["is set back across the hour", -20 * MINUTE, 1],
    ["is set back within the hour", -5 * MINUTE, 1],
    ["is set back by a second", -SECOND, 1],
    ["jumps to 1970", -Date.UTC(2026, 10, 23, 12), 2],
  ])("%s", async (_, jump, sessions) => {
    const lived = await live([
      { count: 1 },
      "flush",
      { count: 2 },
      { jump },
      { count: 4 },
      "flush",
      { count: 8 },
      "flush",
    ]);
    hold(lived);
    expect(lived.sessions).toHaveLength(sessions);
    if (sessions > 1) expect(lived.sessions[0]?.how).toBe("clock");
  });

  test("is set back for a while and put right again: the hours before are added to, not begun anew", async () => {
    const lived = await live([
      { count: 1 },
      "flush",
      { jump: -TEN_YEARS },
      "flush",
      { count: 2 },
      "flush",
      { jump: TEN_YEARS },
      { count: 4 },
      "flush",
    ]);
    hold(lived);
    expect(lived.hours.at(-1)).toMatchObject({ start: new Date(NOON), counters: { sent: 5 } });
  });

  test("steps back across the hour and forward again: the session's hours only go forward, and none is overwritten", async () => {
    const back = [{ jump: -20 * MINUTE }, { count: 2 }, "flush"] as const;
    const forward = [{ jump: 20 * MINUTE }, { count: 4 }, "flush"] as const;
    const lived = await live([{ count: 1 }, "flush", ...back, ...forward, ...back, ...forward]);
    hold(lived);
    expect(lived.hours.map(({ start, counters }) => [hourOf(start.getTime() - NOON), counters.sent])).toEqual([
      [0, 13],
    ]);
    expect(lived.sessions).toHaveLength(1);
  });

  test("jumps while nothing is counted leaves no trace", async () => {
    const lived = await live([{ jump: TEN_YEARS }, { jump: -TEN_YEARS }, { count: 1 }, "flush"]);
    hold(lived);
    expect(lived.sessions).toHaveLength(1);
  });

  test("does anything, in any order", async () => {
    const jump = fc.oneof(
      fc.constantFrom(SECOND, MINUTE, HOUR, 25 * HOUR, TEN_YEARS, -SECOND, -MINUTE, -HOUR, -3 * HOUR, -TEN_YEARS),
      fc.integer({ min: -3 * HOUR, max: 3 * HOUR }),
    );
    const step = fc.oneof(
      fc.record({ jump }),
      fc.record({ count: fc.integer({ min: 1, max: 1_000 }) }),
      fc.constantFrom("flush", "flush", "restart"),
    ) as fc.Arbitrary<Step>;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        vi.setSystemTime(NOON);
        hold(await live(steps));
      }),
      { numRuns: 300 },
    );
  });
});

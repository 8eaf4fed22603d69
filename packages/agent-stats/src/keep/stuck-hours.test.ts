import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eachHour, eachSum } from "../store/contract-support.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import type { StatsStore } from "../store/store.ts";
import { smp, start } from "./model-process.testing.ts";

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 10, 23, 12);

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOON }));
afterEach(() => void vi.useRealTimers());

type Step = { count: number; server: string } | { hours: number } | "flush" | "hang" | "look";

const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.record({ count: fc.integer({ min: 1, max: 99 }), server: fc.constantFrom("a", "b") }),
  fc.record({ hours: fc.integer({ min: 1, max: 3 }) }),
  fc.constantFrom<Step[]>("flush", "hang", "look"),
);

async function inStore(store: StatsStore): Promise<number> {
  return eachSum(await store.sums(null)).reduce((sum, { past, open }) => sum + past + open, 0);
}

test("whoever saves, and in whatever hour, each count is saved once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: "max" }), async (steps) => {
      vi.setSystemTime(NOON);
      const store = memoryStore(new MemoryDatabase());
      const { stats, standIn } = await start(store, "zero");
      let counted = 0;
      for (const each of steps) {
        if (each === "flush") await stats.flush();
        else if (each === "look") await stats.getServersStats();
        else if (each === "hang") {
          standIn();
          expect(await inStore(store)).toBe(counted);
        } else if ("hours" in each) vi.setSystemTime(Date.now() + each.hours * HOUR);
        else {
          stats.server(smp, 1, each.server).add("sent", each.count);
          counted += each.count;
        }
        expect(await inStore(store)).toBeLessThanOrEqual(counted);
      }
      await stats.flush();
      const hours = eachHour(await store.hours(0, 1e9));
      expect(hours.reduce((sum, { value }) => sum + value, 0)).toBe(counted);
      expect(await inStore(store)).toBe(counted);
      await stats.close();
    }),
    { numRuns: 500 },
  );
});

test("what is counted in a hang belongs to the hour in which it began", async () => {
  const store = memoryStore(new MemoryDatabase());
  const { stats, standIn } = await start(store, "zero");
  const server = stats.server(smp, 1, "a");
  server.add("sent", 1);
  vi.setSystemTime(NOON + HOUR);
  server.add("sent", 10);
  expect(standIn()).toBe(true);
  vi.setSystemTime(NOON + 2 * HOUR);
  server.add("sent", 100);
  await stats.flush();
  server.add("sent", 1_000);
  await stats.flush();
  const rows = eachHour(await store.hours(0, 1e9));
  expect(rows.map(({ hour, value }) => [hour - NOON / HOUR, value])).toEqual([
    [0, 111],
    [2, 1_000],
  ]);
  await stats.close();
});

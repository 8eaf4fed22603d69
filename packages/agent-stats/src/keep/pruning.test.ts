import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SessionRow, StoreCalls } from "../store/store.ts";
import { Drive } from "./flow.ts";
import { Pruning } from "./pruning.ts";

const HOUR_MS = 3_600_000;
const DAY = 24;
const TODAY = 500_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** What a process prunes that keeps history for so many days: before which hours, at the moments when it looks. */
function pruned(keepDays: number, sessions: readonly (readonly [started: number, lastSaved: number])[]) {
  const pruning = new Pruning(keepDays);
  const rows = sessions.map(([started, lastSaved]) => ({ started: started * HOUR_MS, lastSaved: lastSaved * HOUR_MS }));
  return (...looks: number[]) =>
    looks.map((hour) => {
      const before: number[] = [];
      const store = { sessions: () => rows as SessionRow[], prune: (to: number) => void before.push(to) };
      vi.setSystemTime(hour * HOUR_MS + 1);
      new Drive(pruning.prune()).finishNow(store as unknown as StoreCalls);
      return before[0] ?? null;
    });
}

test("what is older than is to be kept goes, counted from the day after the last that is known", () => {
  expect(pruned(90, [[TODAY - DAY, TODAY - DAY]])(TODAY)).toEqual([TODAY - 90 * DAY]);
  expect(pruned(90, [[TODAY - 40, TODAY - 30]])(TODAY)).toEqual([TODAY - 30 + DAY - 90 * DAY]);
  expect(pruned(90, [[TODAY - 40, TODAY - 3]])(TODAY)).toEqual([TODAY - 40 + DAY - 90 * DAY]);
});

test("a clock that is years ahead takes nothing with it but a day", () => {
  const years = 5 * 365 * DAY;
  expect(pruned(90, [[TODAY, TODAY]])(TODAY + years)).toEqual([TODAY + DAY - 90 * DAY]);
});

test("where no earlier day is known nothing can be old", () => {
  expect(pruned(90, [])(TODAY)).toEqual([null]);
  expect(pruned(90, [[TODAY - DAY + 1, TODAY]])(TODAY)).toEqual([null]);
});

test("it is looked at once a day, and again when the clock is set back by one", () => {
  const look = pruned(0, []);
  expect(look(TODAY, TODAY + 1, TODAY + DAY - 1, TODAY + DAY)).toEqual([TODAY, null, null, TODAY + DAY]);
  expect(look(TODAY + 1, TODAY)).toEqual([null, TODAY]);
});

test("days that this process saw itself count too", () => {
  const look = pruned(90, []);
  expect(look(TODAY, TODAY + 2 * DAY)).toEqual([null, TODAY + DAY - 90 * DAY]);
});

test("where nothing is to be kept, nothing is, whatever is known", () => {
  expect(pruned(0, [])(TODAY)).toEqual([TODAY]);
});

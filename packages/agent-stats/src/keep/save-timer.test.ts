import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CHANGED, URGENT } from "../record/row.ts";
import { SaveTimer } from "./save-timer.ts";

const NOON = Date.UTC(2026, 10, 23, 12);

beforeEach(() => void vi.useFakeTimers({ now: NOON }));
afterEach(() => void vi.useRealTimers());

/** A timer, and after how many ms from now each save came. */
function timer(flushEveryMs: number) {
  const began = Date.now();
  const saves: number[] = [];
  const made = new SaveTimer(flushEveryMs, () => saves.push(Date.now() - began));
  return { timer: made, saves, pass: (ms: number) => vi.advanceTimersByTime(ms) };
}

describe("a save comes", () => {
  test("after the flush interval, once, whatever changes meanwhile; and not again by itself", () => {
    const { timer: each, saves, pass } = timer(5_000);
    each.changed(CHANGED, Date.now());
    pass(4_000);
    each.changed(CHANGED, Date.now());
    pass(999);
    expect(saves).toEqual([]);
    pass(60_000);
    expect(saves).toEqual([5_000]);
    each.changed(CHANGED, Date.now());
    pass(60_000);
    expect(saves).toEqual([5_000, 69_999]);
  });

  test("sooner for an error, also where one is due already, and once for both", () => {
    const { timer: each, saves, pass } = timer(5_000);
    each.changed(CHANGED, Date.now());
    pass(1_000);
    each.changed(URGENT, Date.now());
    pass(60_000);
    expect(saves).toEqual([1_200]);
  });

  test("no later for an error than for all else", () => {
    const { timer: each, saves, pass } = timer(60);
    each.changed(URGENT, Date.now());
    pass(1_000);
    expect(saves).toEqual([60]);
  });

  test("with the full hour where that is sooner", () => {
    vi.setSystemTime(NOON - 1_500);
    const { timer: each, saves, pass } = timer(5_000);
    each.changed(CHANGED, Date.now());
    pass(60_000);
    expect(saves).toEqual([1_500]);
  });

  test("without hurry where something is left to do", () => {
    const { timer: each, saves, pass } = timer(300);
    each.again();
    pass(299);
    expect(saves).toEqual([]);
    pass(1);
    expect(saves).toEqual([300]);
  });

  test("never after it was stopped", () => {
    const { timer: each, saves, pass } = timer(300);
    each.changed(CHANGED, Date.now());
    each.stop();
    each.changed(URGENT, Date.now());
    each.again();
    each.failed();
    pass(100_000);
    expect(saves).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a store that fails", () => {
  test("is tried again after the interval, then after twice that, up to a minute; and as before once it works", () => {
    const began = Date.now();
    const tries: number[] = [];
    const each = new SaveTimer(5_000, () => {
      tries.push(Date.now() - began);
      each.failed();
    });
    each.failed();
    vi.advanceTimersByTime(5_000 + 10_000 + 20_000 + 40_000 + 60_000 + 60_000);
    expect(tries).toEqual([5_000, 15_000, 35_000, 75_000, 135_000, 195_000]);
    each.stop();
    const { timer: working, saves, pass } = timer(5_000);
    working.failed();
    pass(5_000);
    working.worked();
    working.failed();
    pass(5_000);
    expect(saves).toEqual([5_000, 10_000]);
  });

  test("is not asked sooner because of what is counted, however urgent", () => {
    const { timer: each, saves, pass } = timer(5_000);
    each.failed();
    pass(5_000);
    each.failed();
    each.changed(URGENT, Date.now());
    each.again();
    pass(9_999);
    expect(saves).toEqual([5_000]);
    pass(1);
    expect(saves).toEqual([5_000, 15_000]);
    each.changed(URGENT, Date.now());
    pass(9_999);
    expect(saves).toHaveLength(2);
    pass(1);
    expect(saves).toHaveLength(3);
  });

  test("is not left alone for longer because a host looks often", () => {
    const { timer: each, saves, pass } = timer(5_000);
    for (let i = 0; i < 10; i++) each.failed();
    pass(5_000);
    expect(saves).toEqual([5_000]);
  });
});

test("no process is kept alive by a save that is due", () => {
  vi.useRealTimers();
  const active = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = active();
  const each = new SaveTimer(5_000, () => {});
  each.changed(CHANGED, Date.now());
  expect(active()).toBe(before);
  const control = setTimeout(() => {}, 5_000);
  expect(active()).toBe(before + 1);
  clearTimeout(control);
  each.stop();
});

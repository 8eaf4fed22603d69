import { describe, expect, test } from "vitest";
import { hourOf, restOfHourMs, SessionHours } from "./hours.ts";

const HOUR_MS = 3_600_000;
const at = (hour: number, ms = 0) => hour * HOUR_MS + ms;

describe("the hour that counts belong to", () => {
  test("is that of the oldest change that is not collected yet", () => {
    const hours = new SessionHours();
    expect([hours.next, hours.peek(at(7))]).toEqual([null, 7]);
    hours.change(at(7, HOUR_MS - 1));
    hours.change(at(8));
    expect([hours.next, hours.peek(at(9)), hours.collect(at(9))]).toEqual([7, 7, 7]);
    expect([hours.next, hours.peek(at(9)), hours.collect(at(9))]).toEqual([null, 9, 9]);
  });

  test("never goes back in a session, and begins anew with the next", () => {
    const hours = new SessionHours();
    expect(hours.collect(at(10))).toBe(10);
    hours.change(at(9));
    expect([hours.next, hours.collect(at(9))]).toEqual([10, 10]);
    expect([hours.peek(at(8)), hours.collect(at(8))]).toEqual([10, 10]);
    hours.startSession();
    hours.change(at(3));
    expect([hours.next, hours.collect(at(4))]).toEqual([3, 3]);
  });

  test("tells a clock that was set back by more than can be waited for", () => {
    const hours = new SessionHours();
    expect(hours.wentBack(at(0))).toBe(false);
    hours.collect(at(10));
    expect([at(11), at(9), at(9) - 1].map((now) => hours.wentBack(now))).toEqual([false, false, true]);
  });
});

test("an hour begins with its first millisecond, and lasts to its last", () => {
  expect([at(5), at(5, 1), at(6) - 1, at(6)].map(hourOf)).toEqual([5, 5, 5, 6]);
  expect([at(5), at(5, 1), at(6) - 1].map(restOfHourMs)).toEqual([HOUR_MS, HOUR_MS - 1, 1]);
});

import { describe, expect, test } from "vitest";
import { formatDuration, formatTime, formatTimeAgo } from "./times.ts";

const noon = new Date(2026, 5, 9, 12, 3, 4);
const after = (ms: number) => new Date(noon.getTime() + ms);

describe("a moment", () => {
  test("is that of the local clock, to the second or the minute", () => {
    expect(formatTime(noon)).toBe("2026-06-09 12:03:04");
    expect(formatTime(noon, "minutes")).toBe("2026-06-09 12:03");
  });

  test("that is no date is unknown", () => {
    expect(formatTime(new Date(Number.NaN))).toBe("unknown");
    expect(formatTimeAgo(new Date(Number.NaN), noon)).toBe("unknown");
  });

  test.each([
    [0, "0 s"],
    [59_999, "59 s"],
    [90_000, "1 min 30 s"],
    [51 * 3_600_000, "2 d 3 h"],
  ])("%i ms ago", (ms, expected) => {
    expect(formatTimeAgo(noon, after(ms))).toBe(`2026-06-09 12:03:04 (${expected} ago)`);
  });

  test("that is yet to come is not told as ago", () => {
    expect(formatTimeAgo(after(1000), noon)).toBe("2026-06-09 12:03:05");
  });
});

describe("a length of time", () => {
  test.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [5_000, "5 s"],
    [2_500, "2.5 s"],
    [59_999, "59.9 s"],
    [60_000, "1 min"],
    [3_599_999, "59 min 59 s"],
    [3_600_000, "1 h"],
    [86_399_999, "23 h 59 min"],
    [86_400_000, "1 d"],
    [90 * 86_400_000 + 3_600_000, "90 d 1 h"],
  ])("%i ms is %s", (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });
});

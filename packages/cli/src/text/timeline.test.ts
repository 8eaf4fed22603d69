import type { TimelineEntry } from "agent-stats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { timelineJson, timelineText } from "../verbs/timeline.ts";
import { parseMoment } from "../when.ts";
import { cells } from "./cells.ts";
import { sparkline } from "./sparkline.ts";

const PLAIN = { width: 80, colour: false };
const at = (day: number, hour = 0) => new Date(2026, 5, day, hour);
const entry = (start: Date, counters: Record<string, number>, more: Partial<TimelineEntry> = {}): TimelineEntry => ({
  ...{ start, protocol: "smp", userId: "1", server: "a", counters },
  ...more,
});
const lines = (text: string) => text.replaceAll("\u202f", "_").split("\n");

describe("timeline", () => {
  test("a line of bars for each counter, users and servers added up, one bar a day", () => {
    const found = [
      entry(at(1), { sent: 1, bytesSent: 1_009 }),
      entry(at(1), { sent: 3 }, { server: "b" }),
      entry(at(3), { sent: 8 }, { userId: "2" }),
      entry(at(4), { received: 1_013 }, { protocol: "mqtt" }),
    ];
    const shown = { by: "day", from: at(1, 9), to: at(5, 12), counters: [] } as const;
    expect(lines(timelineText(found, shown, PLAIN))).toEqual([
      "from      2026-06-01 00:00",
      "to        2026-06-05 12:00",
      "each bar  1 d; · is nothing counted; bars of a line share its own scale",
      "",
      "mqtt",
      "  received     1_013  ···█·",
      "",
      "smp",
      "  sent            12  ▄·█··",
      "  bytesSent  1.01 kB  █····",
      "",
    ]);
    expect(lines(timelineText(found, { ...shown, counters: ["received"] }, PLAIN)).slice(4)).toEqual([
      "mqtt",
      "  received  1_013  ···█·",
      "",
    ]);
    expect(timelineJson(found, { ...shown, counters: ["received"] }).entries).toEqual([found[3]]);
  });

  test("nothing in this time says so", () => {
    const shown = { by: "hour", from: at(1), to: at(2), counters: [] } as const;
    expect(lines(timelineText([], shown, PLAIN)).slice(3)).toEqual(["", "Nothing was counted in this time.", ""]);
  });

  test("no line is wider than the terminal, and no count is lost in the bars' sum", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 90 });
    const entries = fc.array(
      fc.record({
        hour: fc.integer({ min: 0, max: 20_000 }),
        protocol: text,
        counters: fc.dictionary(text, fc.nat(1_000_000_000)),
      }),
      { maxLength: 9 },
    );
    fc.assert(
      fc.property(entries, fc.integer({ min: 60, max: 200 }), (given, width) => {
        const from = new Date(Date.UTC(2024, 0));
        const found = given.map(({ hour, protocol, counters }) =>
          entry(new Date(from.getTime() + hour * 3_600_000), counters, { protocol }),
        );
        const shown = { by: "hour", from, to: new Date(from.getTime() + 20_001 * 3_600_000), counters: [] } as const;
        const told = timelineText(found, shown, { width, colour: false });
        for (const line of told.split("\n")) expect(cells(line)).toBeLessThanOrEqual(width);
      }),
      { numRuns: 30 },
    );
  });
});

describe("bars", () => {
  test("stand for their share of the highest; little is never nothing", () => {
    expect(sparkline([0, 1, 50, 100, 1_000], 10)).toBe("·▁▁▁█");
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8)).toBe("▁▂▃▄▅▆▇█");
    expect(sparkline([], 8)).toBe("");
    expect(sparkline([0, 0], 8)).toBe("··");
  });

  test("neighbours are added up where there are too many, and none is left out", () => {
    expect(sparkline([1, 1, 1, 1, 0, 0, 8, 0], 4)).toBe("▂▂·█");
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 50 }), (values, width) => {
        const bars = [...sparkline(values, width)];
        expect(bars.length).toBeLessThanOrEqual(width);
        expect(bars.some((bar) => bar !== "·")).toBe(values.some((value) => value > 0));
      }),
    );
  });
});

describe("a moment", () => {
  const now = new Date(2026, 5, 25, 14, 30);
  test.each([
    ["2026-06-19", new Date(2026, 5, 19)],
    ["2026-06-19T14:00", new Date(2026, 5, 19, 14)],
    ["2026-06-19T14:00:30Z", new Date(Date.UTC(2026, 5, 19, 14, 0, 30))],
    ["2026-06-19T14:00+02:00", new Date(Date.UTC(2026, 5, 19, 12))],
    ["2024-02-29", new Date(2024, 1, 29)],
    ["36h", new Date(now.getTime() - 36 * 3_600_000)],
    ["2w", new Date(now.getTime() - 14 * 24 * 3_600_000)],
  ])("%s", (input, moment) => {
    expect(parseMoment(input, now)).toEqual(moment);
  });

  test.each([
    "",
    "yesterday",
    "2026-02-31",
    "2025-02-29",
    "2026-13-01",
    "19.6.2026",
    "7",
    "-7d",
    "2026-06-19T25:00",
    "999999d",
  ])("%s is none", (input) => {
    expect(() => parseMoment(input, now)).toThrow();
  });
});

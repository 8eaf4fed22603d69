import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openAgentStats } from "../keep/open.ts";
import { defineProtocol } from "../record/protocol.ts";
import { memoryStore } from "../store/memory.ts";
import type { Counters, HourRow } from "../store/store.ts";
import { hoursOf, timelineOf } from "./timeline.ts";

const HOUR = 3_600_000;
const smp = defineProtocol("smp", { sent: "messages sent", received: "messages received" });

const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = "Europe/Berlin";
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

/** One message in every hour from then on, for so many hours. */
function hourly(from: string, hours: number): HourRow[] {
  const first = new Date(from).getTime() / HOUR;
  return Array.from({ length: hours }, (_, i) => {
    return { hour: first + i, protocol: "smp", userId: "1", server: "smp://a", counters: { sent: 1 } };
  });
}

const days = (rows: readonly HourRow[]) =>
  timelineOf(rows, "day").map(({ start, counters }) => [start.toISOString(), counters.sent]);

describe("a timeline by days", () => {
  test("begins each at midnight of this machine's zone: the shortest and the longest day of the year too", () => {
    expect(new Date("2026-07-01T12:00:00Z").getHours(), "control: the zone is the one of the test").toBe(14);
    expect(days(hourly("2026-03-28T12:00:00Z", 60))).toEqual([
      ["2026-03-27T23:00:00.000Z", 11],
      ["2026-03-28T23:00:00.000Z", 23],
      ["2026-03-29T22:00:00.000Z", 24],
      ["2026-03-30T22:00:00.000Z", 2],
    ]);
    expect(days(hourly("2026-10-24T12:00:00Z", 60))).toEqual([
      ["2026-10-23T22:00:00.000Z", 10],
      ["2026-10-24T22:00:00.000Z", 25],
      ["2026-10-25T23:00:00.000Z", 24],
      ["2026-10-26T23:00:00.000Z", 1],
    ]);
  });

  test("loses no hour and tells none twice, over a whole year", () => {
    const year = hourly("2026-01-01T00:00:00Z", 8_760);
    const entries = timelineOf(year, "day");
    expect(entries.reduce((sum, { counters }) => sum + (counters.sent ?? 0), 0)).toBe(8_760);
    expect(entries.length).toBe(366);
    for (const { start } of entries) expect([start.getHours(), start.getMinutes()]).toEqual([0, 0]);
    expect(timelineOf(year, "hour")).toHaveLength(8_760);
  });
});

describe("a timeline", () => {
  test("is by key, oldest first, counters side by side, and leaves out what is empty", () => {
    const row = (hour: number, userId: string, counters: Counters): HourRow => {
      return { hour, protocol: "smp", userId, server: "smp://a", counters };
    };
    const rows = [
      row(7, "10", { sent: 3 }),
      row(5, "1", { sent: 1 }),
      row(5, "10", { sent: 3 }),
      row(5, "1", { received: 2 }),
      row(7, "10", { sent: 1 }),
    ];
    const key = (userId: string) => ({ protocol: "smp", userId, server: "smp://a" });
    const start = (hour: number) => new Date(hour * HOUR);
    expect(timelineOf(rows)).toEqual([
      { start: start(5), ...key("1"), counters: { sent: 1, received: 2 } },
      { start: start(5), ...key("10"), counters: { sent: 3 } },
      { start: start(7), ...key("10"), counters: { sent: 4 } },
    ]);
    expect(timelineOf([])).toEqual([]);
  });

  test("covers the hours in which it begins and ends, and the last 90 days where nothing is said", () => {
    const at = (text: string) => new Date(`2026-03-10T${text}Z`);
    const first = at("10:00:00").getTime() / HOUR;
    expect(hoursOf({ from: at("10:59:59.999"), to: at("12:00:00") })).toEqual([first, first + 2]);
    expect(hoursOf({ from: at("10:00:00"), to: at("10:00:00") })).toEqual([first, first]);
    expect(hoursOf({ to: at("10:30:00") })).toEqual([first - 90 * 24, first]);
    vi.useFakeTimers({ toFake: ["Date"], now: at("10:30:00") });
    expect(hoursOf({})).toEqual([first - 90 * 24, first]);
    vi.useRealTimers();
  });

  test("may be of one user, protocol or server: 1 is '1', and neither is '10'", async () => {
    const xftp = defineProtocol("xftp", { sent: "files sent" });
    const stats = await openAgentStats({ protocols: [smp, xftp], store: memoryStore(), flushEvery: HOUR });
    stats.server(smp, 1, "smp://a").add("sent", 1);
    stats.server(smp, 1, "smp://b").add("sent", 2);
    stats.server(smp, 10, "smp://a").add("sent", 4);
    stats.server(xftp, "1", "xftp://f").add("sent", 8);
    const sum = async (options: Parameters<typeof stats.getTimeline>[0]) => {
      const entries = await stats.getTimeline(options);
      return entries.reduce((all, { counters }) => all + (counters.sent ?? 0), 0);
    };
    expect(await sum({})).toBe(15);
    for (const userId of [1, "1"]) expect(await sum({ userId })).toBe(11);
    expect(await sum({ userId: 10, by: "day" })).toBe(4);
    expect(await sum({ userId: 100 })).toBe(0);
    expect(await sum({ protocol: "smp" })).toBe(7);
    expect(await sum({ protocol: "smp", userId: 1, server: "smp://b" })).toBe(2);
    expect(await sum({ from: new Date(Date.now() + 2 * HOUR), to: new Date(Date.now() + 3 * HOUR) })).toBe(0);
    expect(await sum({ from: new Date(-50 * HOUR), to: new Date(0) })).toBe(0);
    await stats.close();
  });
});

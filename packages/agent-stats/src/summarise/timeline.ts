import type { HourRow } from "../store/store.ts";
import { KeyIds } from "./key-ids.ts";
import { type Numbers, plus } from "./numbers.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** As far back as history goes by default. */
const DEFAULT_RANGE_MS = 90 * DAY_MS;

export interface TimelineOptions {
  /** Default: 90 days before `to`. */
  readonly from?: Date;
  /** Default: now. */
  readonly to?: Date;
  /** Periods. A day begins at midnight of this machine's time zone. Default: `hour`. */
  readonly by?: "hour" | "day";
  /** Only this protocol, user, server. Default: all. */
  readonly protocol?: string;
  readonly userId?: string | number;
  readonly server?: string;
}

/** What one key counted in one period. Periods without counts are left out. */
export interface TimelineEntry {
  /** When the period began. */
  readonly start: Date;
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  readonly counters: Numbers;
}

/** The hours, since 1970, that a timeline covers: both ends are included. */
export function hoursOf({ from, to = new Date() }: TimelineOptions): readonly [from: number, to: number] {
  const start = from?.getTime() ?? to.getTime() - DEFAULT_RANGE_MS;
  return [Math.floor(start / HOUR_MS), Math.floor(to.getTime() / HOUR_MS)];
}

/** Rows of hours as a timeline, oldest first. */
export function timelineOf(rows: readonly HourRow[], by: "hour" | "day" = "hour"): TimelineEntry[] {
  const ids = new KeyIds();
  /** By the time when it begins: the entries of each period, by key. */
  const periods = new Map<number, Map<number, TimelineEntry>>();
  for (const row of rows) {
    const { hour, protocol, userId, server, counters } = row;
    const start = by === "day" ? midnightBefore(hour * HOUR_MS) : hour * HOUR_MS;
    const period = periods.get(start) ?? new Map<number, TimelineEntry>();
    periods.set(start, period);
    const id = ids.of(row);
    const known = period.get(id);
    const sum = known ? plus(known.counters, counters) : counters;
    period.set(id, { start: new Date(start), protocol, userId, server, counters: sum });
  }
  return [...periods].sort(([a], [b]) => a - b).flatMap(([, entries]) => [...entries.values()]);
}

function midnightBefore(ms: number): number {
  const day = new Date(ms);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

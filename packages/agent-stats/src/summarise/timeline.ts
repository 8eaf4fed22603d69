import type { HourRow } from "../store/store.ts";
import { type Numbers, Tally } from "./numbers.ts";

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
  const entries = new Map<string, Omit<TimelineEntry, "counters"> & { readonly counters: Tally }>();
  for (const { hour, protocol, userId, server, counter, value } of rows) {
    const start = by === "day" ? midnightBefore(hour * HOUR_MS) : new Date(hour * HOUR_MS);
    const name = JSON.stringify([start.getTime(), protocol, userId, server]);
    const entry = entries.get(name) ?? { start, protocol, userId, server, counters: new Tally() };
    entry.counters.add(counter, value);
    entries.set(name, entry);
  }
  return [...entries.values()]
    .map(({ counters, ...entry }) => ({ ...entry, counters: counters.numbers() }))
    .sort((a, b) => a.start.getTime() - b.start.getTime());
}

function midnightBefore(ms: number): Date {
  const day = new Date(ms);
  day.setHours(0, 0, 0, 0);
  return day;
}

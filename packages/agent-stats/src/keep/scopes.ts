import { assertGiven, isDate, isObject } from "../record/given.ts";
import { covers, isScope, scopeOf } from "../record/scope.ts";
import type { HourRow } from "../store/store.ts";
import { type TimelineEntry, type TimelineOptions, timelineOf } from "../summarise/timeline.ts";

/** Rows of hours, of the keys that are asked for. */
export function timeline(rows: readonly HourRow[], { by, ...options }: TimelineOptions): TimelineEntry[] {
  const scope = scopeOf(options);
  return timelineOf(
    rows.filter((row) => covers(scope, row)),
    by,
  );
}

/** @throws TypeError when it is no range, or what narrows it is no name: more would be shown than was meant */
export function assertRange(given: TimelineOptions): TimelineOptions {
  assertGiven(isObject(given) && isRange(given), "a timeline goes from a date to a date, by hour or day, of names");
  return given;
}

function isRange({ from, to, by, ...scope }: TimelineOptions): boolean {
  return (
    [from, to].every((date) => date === undefined || isDate(date)) &&
    [undefined, "hour", "day"].includes(by) &&
    isScope(scope)
  );
}

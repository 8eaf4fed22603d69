import { covers, type Scope } from "../record/scope.ts";
import type { HourRow } from "../store/store.ts";
import { type TimelineEntry, type TimelineOptions, timelineOf } from "../summarise/timeline.ts";

/** Which keys are meant: those that match every field given. No field: all. */
export interface GivenScope {
  readonly protocol?: string;
  readonly userId?: string | number;
  readonly server?: string;
}

/** Rows of hours, of the keys that are asked for. */
export function timeline(rows: readonly HourRow[], { by, ...options }: TimelineOptions): TimelineEntry[] {
  const scope = scopeOf(options);
  return timelineOf(
    rows.filter((row) => covers(scope, row)),
    by,
  );
}

export function scopeOf({ protocol, userId, server }: GivenScope): Scope {
  return {
    ...(protocol !== undefined && { protocol }),
    ...(userId !== undefined && { userId: String(userId) }),
    ...(server !== undefined && { server }),
  };
}

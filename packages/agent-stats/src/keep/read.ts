/** Looks at what others keep. A subpath of its own, so that what only shows does not load what counts and saves. */
import { assertGiven, assertOptions, can } from "../record/given.ts";
import type { StatsReader } from "../store/store.ts";
import { type ServersStats, serversStats } from "../summarise/servers-stats.ts";
import { type SessionWithCounts, sessionsWithCounts } from "../summarise/sessions.ts";
import { hoursOf, type TimelineEntry, type TimelineOptions } from "../summarise/timeline.ts";
import { assertRange, timeline } from "./scopes.ts";

/** What shows statistics needs no more than this. */
export interface StatsView {
  /**
   * Since when, which sessions, and per key: past, session, overall, live; everything at one moment.
   * @throws StatsError when the store cannot be read. `recorder.getServersStats()` still tells what this session counted.
   */
  getServersStats(): Promise<ServersStats>;
  /**
   * Every session that history still holds, oldest first: when it began and ended, how, what it can have lost, what it
   * counted, and what it folded, deleted and reset.
   * @throws StatsError when the store cannot be read
   */
  getSessions(): Promise<SessionWithCounts[]>;
  /**
   * What was counted hour by hour or day by day, for each key. History is kept for 90 days by default.
   * @throws StatsError when the store cannot be read, TypeError when the range is none
   */
  getTimeline(options?: TimelineOptions): Promise<TimelineEntry[]>;
  /** Releases everything. */
  close(): Promise<void>;
}

/**
 * Opens what others keep, to look at it. The session is what the sessions not yet folded have saved.
 *
 * @throws TypeError when there is no store
 */
export function readAgentStats(options: { readonly store: StatsReader }): StatsView {
  assertOptions(options);
  const { store } = options;
  assertGiven(
    can(store, "sums", "hours"),
    "store says what is read, and must be one, e.g. sqlcipherReader({ file, key }).",
  );
  return {
    async getServersStats() {
      const sums = await store.sums(null);
      return serversStats(sums, sums.sessions, null);
    },
    async getSessions() {
      return sessionsWithCounts(await store.sessions(), await store.sessionSums(), await store.audit());
    },
    async getTimeline(options = {}) {
      return timeline(await store.hours(...hoursOf(assertRange(options))), options);
    },
    close: () => store.close(),
  };
}

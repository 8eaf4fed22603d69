import type { ServerStats, ServersStats } from "../summarise/servers-stats.ts";
import type { TimelineEntry } from "../summarise/timeline.ts";

/** One key's numbers, as a view of a file tells them. */
export function serverStats(
  protocol: string,
  userId: string,
  server: string,
  overall: Record<string, number>,
): ServerStats {
  const trackedSince = new Date("2026-06-01T09:41:27Z");
  return { protocol, userId, server, trackedSince, past: overall, session: {}, overall, live: {} };
}

/** What a view of a file tells, with one session that was killed. */
export function statsOf(servers: readonly ServerStats[]): ServersStats {
  return {
    trackedSince: new Date("2026-06-01T09:41:27Z"),
    lastSaved: new Date("2026-06-19T14:59:59Z"),
    sessions: [
      {
        session: 1,
        started: new Date("2026-06-19T08:12:03Z"),
        lastSaved: new Date("2026-06-19T14:59:59Z"),
        ended: null,
        how: "killed",
        canHaveLostMs: 5_000,
      },
    ],
    servers,
    rejected: {},
  };
}

/** What each key counted in one hour. */
export function timelineOf(servers: readonly ServerStats[]): TimelineEntry[] {
  const start = new Date("2026-06-19T08:00:00Z");
  return servers.map(({ protocol, userId, server, overall }) => ({
    start,
    protocol,
    userId,
    server,
    counters: overall,
  }));
}

export const CASE_KEY = Uint8Array.from({ length: 32 }, (_, i) => i);

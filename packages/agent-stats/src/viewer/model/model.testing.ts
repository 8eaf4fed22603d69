import type { ServerStats, ServersStats } from "../../summarise/servers-stats.ts";
import type { TimelineEntry } from "../../summarise/timeline.ts";
import type { Data, Filter } from "./select.ts";

export const HOUR_MS = 3_600_000;
export const NOW = Date.UTC(2026, 5, 22, 12, 30);
export const SMP = "smp://0YuTwO05YJWS8rkjn9eLJDjQhFKvIYd8d4xG8X1blIU=@smp8.simplex.im";

export function key(protocol: string, userId: string, server: string, overall: Record<string, number>): ServerStats {
  return { protocol, userId, server, trackedSince: null, past: overall, session: {}, overall, live: {} };
}

export function dataOf(servers: readonly ServerStats[], timeline: readonly TimelineEntry[] = []): Data {
  const stats: ServersStats = {
    trackedSince: new Date(NOW - 48 * HOUR_MS),
    lastSaved: new Date(NOW),
    sessions: [],
    servers,
    rejected: {},
    erasurePending: false,
  };
  return { stats, sessions: [], timeline, readAt: NOW };
}

export const ALL: Filter = { userId: null, protocol: null, range: "all", showHidden: false };

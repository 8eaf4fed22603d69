import type { ServersStats } from "agent-stats";
import type { ScopeFlags } from "./flags.ts";

/** The numbers that the flags mean. */
export function inScope(stats: ServersStats, { protocol, user, server }: ScopeFlags): ServersStats {
  const servers = stats.servers.filter(
    (row) =>
      (protocol === undefined || row.protocol === protocol) &&
      (user === undefined || row.userId === user) &&
      (server === undefined || row.server === server),
  );
  return { ...stats, servers };
}

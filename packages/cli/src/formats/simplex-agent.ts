import type { ServerStats, ServersStats } from "agent-stats";
import { fieldOf, ntf, smp, xftp } from "agent-stats/simplex";

/** simplexmq counts sizes in KB; here they are bytes. */
const BYTES_PER_KB = 1_024;

/**
 * What simplexmq keeps in `servers_stats` of its agent database: three maps, each an array of `[[userId, server],
 * counters]`. Whole user ids only: it knows no others.
 */
export function toSimplexAgent({ servers }: ServersStats): string {
  const mapOf = ({ name, counters }: typeof smp | typeof xftp | typeof ntf) =>
    servers
      .filter(({ protocol, userId }) => protocol === name && /^\d{1,15}$/.test(userId))
      .map((key) => [
        [Number(key.userId), key.server],
        Object.fromEntries(counters.map((counter) => [fieldOf(counter.name), numberIn(key, counter)])),
      ]);
  const maps = { smpServersStats: mapOf(smp), xftpServersStats: mapOf(xftp), ntfServersStats: mapOf(ntf) };
  return `${JSON.stringify(maps)}\n`;
}

function numberIn({ overall }: ServerStats, { name, unit }: { readonly name: string; readonly unit: string }): number {
  const value = Object.hasOwn(overall, name) ? (overall[name] ?? 0) : 0;
  return unit === "bytes" ? Math.round(value / BYTES_PER_KB) : value;
}

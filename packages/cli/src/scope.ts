import type { ServerStats, ServersStats } from "agent-stats";
import { CliError } from "./errors.ts";
import type { ScopeFlags } from "./flags.ts";

type Key = Pick<ServerStats, "protocol" | "userId" | "server">;

/**
 * The numbers that the flags mean.
 *
 * @throws CliError `NOT_FOUND`
 */
export function inScope(stats: ServersStats, scope: ScopeFlags): ServersStats {
  return { ...stats, servers: keysInScope(stats.servers, scope) };
}

/**
 * The rows that the flags mean: all of them where there are no flags. A name that is not there is a mistyped one, not
 * an app that counts nothing.
 *
 * @throws CliError `NOT_FOUND`
 */
export function keysInScope<T extends Key>(rows: readonly T[], { protocol, user, server }: ScopeFlags): readonly T[] {
  const asked = [
    { what: "user", name: user, of: (row: Key) => row.userId },
    { what: "server", name: server, of: (row: Key) => row.server },
    { what: "protocol", name: protocol, of: (row: Key) => row.protocol },
  ].filter(({ name }) => name !== undefined);
  for (const { what, name, of } of asked) {
    if (!rows.some((row) => of(row) === name)) throw notFound(`of this ${what}`);
  }
  const found = rows.filter((row) => asked.every(({ name, of }) => of(row) === name));
  if (found.length === 0 && asked.length > 0) {
    throw notFound(`of this ${asked.map(({ what }) => what).join(" and ")} together`);
  }
  return found;
}

function notFound(of: string): CliError {
  return new CliError("NOT_FOUND", `There are no statistics ${of}: see agent-stats show for the names.`);
}

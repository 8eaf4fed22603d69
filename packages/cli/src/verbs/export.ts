import type { Protocol, ServersStats } from "agent-stats";
import type { CliContext } from "../context.ts";
import { CliError } from "../errors.ts";
import type { ScopeFlags } from "../flags.ts";
import type { ExportFlags, ExportFormat } from "../flags-of-verbs.ts";
import { knownProtocols } from "../known.ts";
import { inScope, keysInScope } from "../scope.ts";
import { read } from "../source.ts";

/** `agent-stats export --format FORMAT`: the numbers as another tool reads them, on stdout. */
export async function exportStats(this: CliContext, flags: ExportFlags): Promise<void> {
  if (flags.currentUser !== undefined && flags.format !== "simplex") {
    throw new CliError("USAGE", "--current-user belongs to --format simplex: the others have no current user.");
  }
  const [all, protocols] = await Promise.all([read(flags, this, (view) => view.getServersStats()), knownProtocols()]);
  const stats = inScope(all, flags);
  this.process.stdout.write(await WRITERS[flags.format]({ stats, protocols, flags, now: new Date() }));
}

interface Given {
  readonly stats: ServersStats;
  readonly protocols: readonly Protocol[];
  readonly flags: ScopeFlags & { readonly currentUser?: string };
  readonly now: Date;
}

const WRITERS: Readonly<Record<ExportFormat, (given: Given) => Promise<string>>> = {
  ndjson: async ({ stats }) => (await import("../formats/rows.ts")).toNdjson(stats),
  csv: async ({ stats }) => (await import("../formats/rows.ts")).toCsv(stats),
  prometheus: async ({ stats, protocols }) => (await import("../formats/prometheus.ts")).toPrometheus(stats, protocols),
  opentelemetry: async ({ stats, protocols, now }) =>
    (await import("../formats/opentelemetry.ts")).toOpenTelemetry(stats, protocols, now),
  simplex: async ({ stats, flags }) => {
    const { toPresentedServersSummary } = await import("agent-stats/simplex");
    const { currentUser = stats.servers[0]?.userId ?? "1" } = flags;
    keysInScope(stats.servers, flags.currentUser === undefined ? {} : { user: currentUser });
    return `${JSON.stringify(toPresentedServersSummary(stats, { currentUser }))}\n`;
  },
  "simplex-agent": async ({ stats }) => (await import("../formats/simplex-agent.ts")).toSimplexAgent(stats),
};

import type { Protocol, ServersStats } from "agent-stats";
import { rowsOf } from "./rows.ts";
import { metricOf } from "./semantic.ts";

/** Prometheus' text format 0.0.4: for the textfile collector of its node exporter, for instance. */
export function toPrometheus(stats: ServersStats, protocols: readonly Protocol[]): string {
  const families = new Map<string, { readonly help: string; readonly samples: string[] }>();
  for (const row of rowsOf(stats)) {
    const { name, help, unit, attributes } = metricOf(row, protocols);
    const base = snake(name);
    const family = `${base}${unit === "By" && !/bytes/.test(base) ? "_bytes" : ""}_total`;
    const labels = Object.entries(attributes).map(([label, value]) => `${nameOf(label)}="${escaped(value)}"`);
    const { samples } = families.get(family) ?? { samples: [] };
    families.set(family, { help, samples: [...samples, `${family}{${labels.join(",")}} ${row.overall}`] });
  }
  return [...families]
    .map(([family, { help, samples }]) =>
      [
        `# HELP ${family} ${help.replaceAll("\\", "\\\\").replaceAll("\n", " ")}`,
        `# TYPE ${family} counter`,
        ...samples,
        "",
      ].join("\n"),
    )
    .join("");
}

/** Prometheus writes words with underscores between: `agentstats.sendAttempts` → `agentstats_send_attempts`. */
function snake(name: string): string {
  return nameOf(name.replace(/([a-z\d])([A-Z])/g, "$1_$2").toLowerCase());
}

function nameOf(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, "_");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

import type { Protocol, ServersStats } from "agent-stats";
import { type Row, rowsOf } from "./rows.ts";
import { type Metric, metricOf } from "./semantic.ts";

/**
 * One `ExportMetricsServiceRequest` of OTLP 1.x in its JSON encoding: what an OpenTelemetry collector takes at
 * `/v1/metrics`, or reads from a file. Cumulative sums; they start when tracking began.
 */
export function toOpenTelemetry(stats: ServersStats, protocols: readonly Protocol[], now: Date): string {
  const metrics = new Map<string, { readonly metric: Metric; readonly points: unknown[] }>();
  for (const row of rowsOf(stats)) {
    const metric = metricOf(row, protocols);
    const known = metrics.get(metric.name) ?? { metric, points: [] };
    metrics.set(metric.name, known);
    known.points.push(pointOf(row, metric, stats.trackedSince, now));
  }
  const scopeMetrics = [
    {
      scope: { name: "agent-stats" },
      metrics: [...metrics.values()].map(({ metric: { name, help, unit }, points }) => ({
        name,
        description: help,
        unit,
        sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints: points },
      })),
    },
  ];
  const resource = { attributes: [attribute("service.name", "agent-stats")] };
  return `${JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics }] })}\n`;
}

/** AGGREGATION_TEMPORALITY_CUMULATIVE */
const CUMULATIVE = 2;

function pointOf({ overall, trackedSince }: Row, { attributes }: Metric, since: Date, now: Date) {
  return {
    attributes: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    startTimeUnixNano: nanos(trackedSince ?? since),
    timeUnixNano: nanos(now),
    // 64-bit numbers are strings in protobuf's JSON.
    asInt: String(overall),
  };
}

function nanos(date: Date): string {
  return `${BigInt(date.getTime()) * 1_000_000n}`;
}

function attribute(key: string, value: string) {
  return { key, value: { stringValue: value } };
}

import { metrics } from "@opentelemetry/api";
import { AggregationTemporality, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { Counter, Registry } from "prom-client";
import { keyAt } from "../support/keys.ts";

/** One `add` by that key, in another library. */
export type AddTo = (number: number) => void;

/** prom-client's fastest way: a child with its labels bound. */
export function promClient(keys: number): AddTo {
  const counter = new Counter({
    name: "sent",
    help: "messages sent",
    labelNames: ["user", "server"],
    registers: [new Registry()],
  });
  const children = Array.from({ length: keys }, (_, number) => {
    const { userId, server } = keyAt(number);
    return counter.labels(userId, server);
  });
  return (number) => children[number]?.inc();
}

class NoReader extends MetricReader {
  constructor() {
    super({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE, cardinalitySelector: () => 1e6 });
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

/** OpenTelemetry's way: a counter of the SDK, with attributes that are made once for each key. */
export function openTelemetry(keys: number): AddTo {
  metrics.disable();
  const provider = new MeterProvider({ readers: [new NoReader()] });
  const counter = provider.getMeter("bench").createCounter("sent");
  const attributes = Array.from({ length: keys }, (_, number) => ({ ...keyAt(number) }));
  return (number) => counter.add(1, attributes[number]);
}

import { Recorder } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { type AddTo, openTelemetry, promClient } from "../baselines/peers.ts";
import { countBare } from "../baselines/typed-array.ts";
import { keyAt } from "../support/keys.ts";
import type { Figure, LineResult } from "../support/line.ts";
import { FEW_ROUNDS, nanoseconds, shuffled } from "../support/measure.ts";

const KEYS = 1_000;
const GROWTH = [100, 1_000, 10_000, 100_000];

/** The cost of one `add`, in ns, through each of the ways to count. */
async function addAt(keys: number): Promise<Record<"bare" | "bound" | "named" | "prom" | "otel", number>> {
  const order = shuffled(keys);
  const recorder = new Recorder({ protocols: [smp] });
  const servers = Array.from(order, (number) => recorder.server(smp, keyAt(number).userId, keyAt(number).server));
  const bound = servers.map((server) => server.counter("sentDirect"));
  const cells = new Float64Array(keys * (1 + smp.counters.length));
  const places = order.map((number) => number * (1 + smp.counters.length));
  const [prom, otel] = [promClient(keys), openTelemetry(keys)];
  const each = (add: AddTo) => () => {
    for (let i = 0; i < order.length; i++) add(order[i] as number);
    return order[0];
  };
  return nanoseconds(
    {
      bare: () => countBare(cells, places),
      bound: () => {
        for (let i = 0; i < bound.length; i++) bound[i]?.add();
        return bound[0];
      },
      named: () => {
        for (let i = 0; i < servers.length; i++) servers[i]?.add("sentDirect");
        return servers[0];
      },
      prom: each(prom),
      otel: each(otel),
    },
    keys,
    keys === KEYS ? undefined : FEW_ROUNDS,
  );
}

export async function add(): Promise<LineResult> {
  const found = [];
  for (const keys of GROWTH) found.push(await addAt(keys));
  const at = found[GROWTH.indexOf(KEYS)] as (typeof found)[number];
  const figure = (
    name: string,
    of: keyof typeof at,
    against: keyof typeof at,
    text: string,
    atMost: number,
  ): Figure => ({
    name,
    unit: "ns",
    figure: at[of],
    baseline: at[against],
    against: text,
    target: { of: "ratio", atMost },
  });
  return {
    measured: `One addition of 1, by ${KEYS.toLocaleString("en")} keys in random order, loop included: the counter's own handle, and the server's with the counter's name.`,
    figures: [
      figure("bound counter", "bound", "bare", "a bare Float64Array", 1.5),
      figure("server.add(name)", "named", "bare", "a bare Float64Array", 4),
      figure("bound counter, prom-client", "bound", "prom", "prom-client, labels bound", 1 / 60),
      figure("bound counter, OpenTelemetry", "bound", "otel", "OpenTelemetry's SDK", 1 / 150),
    ],
    growth: [
      {
        name: "add",
        title: "One add()",
        unit: "ns",
        keys: GROWTH,
        series: [
          { name: "bound counter", ours: true, values: found.map(({ bound }) => bound) },
          { name: "server.add(name)", ours: true, values: found.map(({ named }) => named) },
          { name: "bare typed array", ours: false, values: found.map(({ bare }) => bare) },
          { name: "prom-client", ours: false, values: found.map(({ prom }) => prom) },
          { name: "OpenTelemetry", ours: false, values: found.map(({ otel }) => otel) },
        ],
      },
    ],
  };
}

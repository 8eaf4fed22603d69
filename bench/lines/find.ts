import { Recorder } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { keyAt } from "../support/keys.ts";
import type { Figure, LineResult } from "../support/line.ts";
import { FEW_ROUNDS, nanoseconds, shuffled } from "../support/measure.ts";

const GROWTH = [100, 1_000, 10_000, 100_000];
const TARGETS_NS = new Map([
  [1_000, 60],
  [100_000, 150],
]);

/** The names are the host's own strings, as an agent has them in its connections. */
async function findAt(keys: number) {
  const order = shuffled(keys);
  const names = Array.from(order, (number) => keyAt(number));
  const recorder = new Recorder({ protocols: [smp] });
  const joined = new Map(names.map(({ userId, server }) => [`${userId} ${server}`, {}]));
  for (const { userId, server } of names) recorder.server(smp, userId, server);
  return nanoseconds(
    {
      ours: () => {
        let last: unknown;
        for (const { userId, server } of names) last = recorder.server(smp, userId, server);
        return last;
      },
      joined: () => {
        let last: unknown;
        for (const { userId, server } of names) last = joined.get(`${userId} ${server}`);
        return last;
      },
    },
    keys,
    TARGETS_NS.has(keys) ? undefined : FEW_ROUNDS,
  );
}

export async function find(): Promise<LineResult> {
  const found: Awaited<ReturnType<typeof findAt>>[] = [];
  for (const keys of GROWTH) found.push(await findAt(keys));
  return {
    measured: "Looking up a key's handle, keys in random order, loop included.",
    figures: GROWTH.flatMap((keys, index): Figure[] => {
      const atMost = TARGETS_NS.get(keys);
      const times = found[index];
      if (atMost === undefined || times === undefined) return [];
      return [
        {
          name: `server(), ${keys.toLocaleString("en")} keys`,
          unit: "ns",
          figure: times.ours,
          baseline: times.joined,
          against: "one Map by `user server`",
          target: { of: "figure", atMost },
        },
      ];
    }),
    growth: [
      {
        name: "find",
        title: "Looking up a key",
        unit: "ns",
        keys: GROWTH,
        series: [
          { name: "server(protocol, user, server)", ours: true, values: found.map(({ ours }) => ours) },
          { name: "one Map by joined names", ours: false, values: found.map(({ joined }) => joined) },
        ],
      },
    ],
  };
}

import type { LineResult } from "../support/line.ts";
import { inTurns, median } from "../support/measure.ts";
import { once } from "../support/once.ts";

const ROUNDS = 3;
const SECONDS = "6";

interface Delay {
  readonly p50: number;
  readonly p999: number;
}

export async function pause(): Promise<LineResult> {
  const found = await inTurns(ROUNDS, {
    ours: () => once<Delay>("pause", "ours", SECONDS),
    bare: () => once<Delay>("pause", "bare", SECONDS),
  });
  const p999 = (delays: readonly Delay[]) => median(delays.map(({ p999 }) => p999));
  const p50 = (delays: readonly Delay[]) => median(delays.map(({ p50 }) => p50));
  const against = "the same program that counts in a bare array";
  return {
    measured: `How late the event loop comes while 50,000 additions a second are made on 1,000 servers, saved every second: percentiles of a 1 ms timer over ${SECONDS} s, in processes that take turns.`,
    figures: [
      {
        name: "event-loop delay, p99.9",
        unit: "ms",
        figure: p999(found.ours),
        baseline: p999(found.bare),
        against,
        target: { of: "difference", atMost: 1 },
      },
      {
        name: "event-loop delay, p50",
        unit: "ms",
        figure: p50(found.ours),
        baseline: p50(found.bare),
        against,
        target: null,
      },
    ],
  };
}

import type { Figure, LineResult } from "../support/line.ts";
import { inTurns, median } from "../support/measure.ts";
import { once } from "../support/once.ts";

const ROUNDS = 3;
const SECONDS = "5";

interface Times {
  readonly p50: number;
  readonly p99: number;
}

export async function share(): Promise<LineResult> {
  const found = await inTurns(ROUNDS, {
    without: () => once<Times>("share", "without", SECONDS),
    within: () => once<Times>("share", "within", SECONDS),
    beside: () => once<Times>("share", "beside", SECONDS),
  });
  const of = (times: readonly Times[], which: keyof Times) => median(times.map((time) => time[which]));
  const figure = (name: string, which: keyof Times, times: readonly Times[], atMost: number): Figure => ({
    name: `insert, ${which}, ${name}`,
    unit: "ms",
    figure: of(times, which),
    baseline: of(found.without, which),
    against: "the chat without statistics",
    target: { of: "ratio", atMost },
  });
  return {
    measured: `One insert of a chat into its own SQLCipher file (WAL, NORMAL), 200 a second, each counted on one of 14 servers; statistics are saved every second. Over ${SECONDS} s, in processes that take turns.`,
    figures: [
      figure("statistics in that file", "p50", found.within, 1.1),
      figure("statistics in that file", "p99", found.within, 1.1),
      figure("statistics in a file of their own", "p50", found.beside, 1.02),
      figure("statistics in a file of their own", "p99", found.beside, 1.02),
    ],
  };
}

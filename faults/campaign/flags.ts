import { parseArgs } from "node:util";
import { anySeed } from "../random.ts";
import type { Scale } from "../trial.ts";

export interface Flags {
  readonly scale: Scale;
  /** Names of trials; empty: all. */
  readonly only: readonly string[];
  readonly seed: number;
  /** How many units of each trial; null: as many as the scale says. */
  readonly count: number | null;
  readonly json: boolean;
  /** A trial that cannot run here has failed; at full scale it has anyway. */
  readonly noSkip: boolean;
  /** Write what ran into the page on reliability, also at small scale. */
  readonly report: boolean;
  readonly help: boolean;
}

/** A flag that makes no sense. Its message is one sentence, for people. */
export class UsageError extends Error {}

export const USAGE = `npm run faults -- [--scale small|full] [--only NAME] [--seed N] [--count N] [--json]

  --scale SCALE  small (under 3 minutes, the default) or full (under an hour)
  --only NAME    this trial only; may be said more than once
  --seed N       draws what is random from N, so that a failure is repeated
  --count N      so many units of each trial, whatever the scale says
  --json         ends stdout with one line: an object keyed by trial names
  --no-skip      a trial that cannot run here has failed; full demands it anyway
  --report       writes what ran into docs/reliability.md; full does so anyway
  --help         shows this`;

/** @throws UsageError in one sentence */
export function parseFlags(args: readonly string[], names: readonly string[]): Flags {
  const { scale = "small", only = [], seed, count, "no-skip": noSkip, ...rest } = valuesOf(args);
  if (scale !== "small" && scale !== "full") throw new UsageError("--scale is small or full.");
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only knows no trial ${unknown}: there are ${names.join(", ")}.`);
  return {
    scale,
    only,
    seed: seed === undefined ? anySeed() : wholeOf("--seed", seed, 0),
    count: count === undefined ? null : wholeOf("--count", count, 1),
    noSkip,
    ...rest,
  };
}

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scale: { type: "string" },
        only: { type: "string", multiple: true },
        seed: { type: "string" },
        count: { type: "string" },
        json: { type: "boolean", default: false },
        "no-skip": { type: "boolean", default: false },
        report: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    // The parser's own first sentence says which flag it is.
    const [reason] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(`${reason?.replace(/\.$/, "")}: see npm run faults -- --help.`);
  }
}

function wholeOf(flag: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value < 2 ** 32)) throw new UsageError(`${flag} is a whole number from ${least} to 2^32-1.`);
  return value;
}

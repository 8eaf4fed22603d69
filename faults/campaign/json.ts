import type { TrialResult } from "./run-trial.ts";

/** The line of `--json`: what each trial came to, keyed by its name. */
export function jsonOf(results: readonly TrialResult[]): string {
  const entries = results.map(({ trial, ran, seen, controls, failures, skipped = null, seconds, ok }) => {
    const { name, unit } = trial;
    return [name, { ran, unit, seen, controls, failures, skipped, seconds: Number(seconds.toFixed(1)), ok }] as const;
  });
  return JSON.stringify(Object.fromEntries(entries));
}

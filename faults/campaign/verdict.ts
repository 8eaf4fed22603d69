import { DRIVERS_MISSING } from "../oracle/drivers.ts";
import type { Scale, Trial, TrialOutcome } from "../trial.ts";
import type { Flags } from "./flags.ts";
import type { TrialResult } from "./run-trial.ts";

/** What a trial has to come to in this run, beside that nothing fails. */
export interface Demand {
  readonly atLeast: number;
  readonly maySkip: boolean;
}

/** A full run is what the promises rest on. A small one shows that the trials work, and one of `--count` repeats. */
export function demandOf(
  { atLeast }: Pick<Trial, "atLeast">,
  flags: Pick<Flags, "scale" | "count" | "noSkip">,
): Demand {
  const isFull = isWhole(flags);
  return { atLeast: isFull ? atLeast : 1, maySkip: !isFull && !flags.noSkip };
}

/** Whether a run was of all that the scale full asks for. */
export function isWhole({ scale, count }: { readonly scale: Scale; readonly count: number | null }): boolean {
  return scale === "full" && count === null;
}

/** What is missing of what was demanded, a sentence each. */
export function shortOf({ ran, failures, skipped }: TrialOutcome, { atLeast, maySkip }: Demand): string[] {
  if (ran >= atLeast) return [];
  // A trial that broke has said why nothing ran.
  if (ran === 0 && failures.length > 0) return [];
  if (ran === 0 && skipped !== undefined) return maySkip ? [] : [`it did not run: ${skipped}`];
  return [`only ${ran} ran, of at least ${atLeast}`];
}

/** Held: nothing failed, and what ran was seen to bite. What did not run at all says why. */
export function verdictOf({ ran, controls, failures, skipped }: TrialOutcome): boolean {
  if (failures.length > 0) return false;
  if (ran === 0) return skipped !== undefined;
  return controls.length > 0 && controls.every(({ bites }) => bites);
}

type Judged = Pick<TrialResult, "ok" | "ran" | "skipped"> & { readonly trial: Pick<Trial, "atLeast"> };

function isSkipped({ ok, ran, skipped }: Pick<Judged, "ok" | "ran" | "skipped">): boolean {
  return ok && ran === 0 && skipped !== undefined;
}

/** Fewer than the minimum show that a trial works; that the promise holds is for a full run to say. */
export function verdictText(result: Judged): string {
  if (!result.ok) return "FAILED";
  if (isSkipped(result)) return "skipped";
  return result.ran < result.trial.atLeast ? "held (small)" : "held";
}

/** The campaign in one line: what failed, what did not run, and which driver was not there. */
export function lastLine(results: readonly Judged[], driversMissing: string | null = DRIVERS_MISSING ?? null): string {
  const verdicts = results.map(verdictText);
  const [failed, skipped, small] = (["FAILED", "skipped", "held (small)"] as const).map(
    (verdict) => verdicts.filter((each) => each === verdict).length,
  ) as [number, number, number];
  const parts = [
    failed > 0 ? `${failed} of ${results.length} trials failed` : mildly({ skipped, of: results.length }),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(small > 0 ? [`${small} of fewer units than a full run's`] : []),
    ...(driversMissing === null ? [] : ["one driver of two"]),
  ];
  return parts.join(", ");
}

function mildly({ skipped, of }: { readonly skipped: number; readonly of: number }): string {
  if (skipped === of) return "nothing ran";
  return skipped > 0 ? "what ran held" : "every promise held";
}

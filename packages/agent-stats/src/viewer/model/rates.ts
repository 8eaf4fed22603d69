import { nounOf, percent } from "../../summarise/tell.ts";
import type { FailureRate } from "./figures.ts";
import { NOT_KNOWN } from "./words.ts";

/** A share as the verdict says it: `18 %`, `0.4 %`, `0 %`. */
export function shareText({ failed, all }: Pick<FailureRate, "failed" | "all">): string {
  return failed === 0 ? "0\u00a0%" : percent(failed, all);
}

/** So many activities are told where there is room for few words; a server's own screen tells all. */
const TOLD = 2;

/** `7 % of sends`, for what failed; `0 %` where nothing did; a dash where nothing had an outcome. */
export function rateTexts(rates: readonly FailureRate[]): string[] {
  const failing = rates.filter(({ failed }) => failed > 0).slice(0, TOLD);
  if (failing.length === 0) return [rates[0] ? shareText(rates[0]) : NOT_KNOWN];
  return failing.map((rate) => `${shareText(rate)} of ${nounOf(rate)}`);
}

import type { FailureRate } from "../model/figures.ts";
import { rateTexts } from "../model/rates.ts";

/** Of what failed, the share that did; and what it is a share of. */
export function Rate({ rates }: { readonly rates: readonly FailureRate[] }) {
  return rateTexts(rates).map((text) => (
    <span key={text} class="rate">
      {text}
    </span>
  ));
}

export const RATE_HELP =
  "Failure rate: of all that succeeded or failed, the share that failed, in the range above. What has no outcome yet is not in it.";

/** One period of one activity, with how much it speaks for something being wrong: below 0 against it. */
export interface Evidence {
  readonly at: number;
  readonly score: number;
}

/** A stretch of periods in which something was wrong: indexes into the evidence, both included. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** False where later periods show that it is well again. */
  readonly goesOn: boolean;
}

/**
 * How sure is sure: the evidence must be 100 000 times likelier if something is wrong than if all is well (its natural
 * logarithm). At 10 000, a busy server of which just 2 % fail by chance raised 3 false alarms in 200 months; a user has
 * a dozen servers.
 */
const ALARM = Math.log(100_000);
/** For "it is well again" less is enough: 100 times likelier. */
const ALL_CLEAR = Math.log(100);

/**
 * Finds when something went wrong and when it was well again, by cumulative sums (Page 1954): the sum of the evidence
 * is held at 0 from below, and a rise from 0 to above the alarm is a stretch. Small numbers cannot raise it, and a long
 * healthy past cannot hide it.
 */
export function stretchesOf(evidence: readonly Evidence[]): Stretch[] {
  const found: Stretch[] = [];
  let [sum, peak, from, to] = [0, 0, 0, -1];
  const close = (goesOn: boolean) => {
    if (peak >= ALARM) found.push({ from, to, goesOn });
    [sum, peak, to] = [0, 0, -1];
  };
  for (const [i, { score }] of evidence.entries()) {
    if (sum === 0 && score > 0) from = i;
    sum = Math.max(0, sum + score);
    if (sum > peak) [peak, to] = [sum, i];
    if (peak > 0 && (sum === 0 || sum < peak - ALL_CLEAR)) close(false);
  }
  if (peak > 0) close(true);
  return found;
}

/** Evidence of `bad` out of `all` for a share of `wrong` instead of `fine`: the logarithm of their likelihoods' ratio. */
export function shareEvidence(bad: number, all: number, fine: number, wrong: number): number {
  return bad * Math.log(wrong / fine) + (all - bad) * Math.log((1 - wrong) / (1 - fine));
}

/** The same for `events` in one period, where `fine` and `wrong` are how many are expected in one. */
export function rateEvidence(events: number, fine: number, wrong: number): number {
  return events * Math.log(wrong / fine) - (wrong - fine);
}

import { type Numbers, sumOf } from "./numbers.ts";

/** A counter of failures, and the short word for their reason: `QUOTA`, `AUTH`, `OTHER`. */
export interface FailureCounter {
  readonly counter: string;
  readonly reason: string;
  /** Counters of failures whose cases this one counts too: `sendErrors` may count what `sendQuotaErrors` counts. */
  readonly includes: readonly string[];
}

/** The same before it is known what it includes, with the words of its name that stand for the reason. */
export interface NamedFailure extends Omit<FailureCounter, "includes"> {
  readonly words: readonly string[];
  /** Whether the name says `all` or `total`. */
  readonly isTotal: boolean;
}

/**
 * Tells which counters of failures count what others count too, so that no failure is added twice.
 *
 * No name tells whether `sendErrors` counts all errors or those that have no counter of their own. What was counted
 * does: a whole is never less than its parts together, at no key and in no hour. One hour in which it is less proves
 * that it stands beside them. Where there is none, it is taken for the whole: a share that is told may then be too
 * small, and never too large.
 */
export function includedOnce(failures: readonly NamedFailure[], counted: readonly Numbers[]): FailureCounter[] {
  const known = new Map<string, FailureCounter>();
  // The most particular first: what they include is then no part of its own in the more general ones.
  for (const of of failures.toSorted((a, b) => saidBy(b) - saidBy(a))) {
    const within = failures.filter((other) => saysMore(other, of)).map(({ counter }) => counter);
    const inner = new Set(within.flatMap((counter) => known.get(counter)?.includes ?? []));
    const parts = within.filter((counter) => !inner.has(counter));
    const isWhole = counted.every((numbers) => sumOf(numbers, [of.counter]) >= sumOf(numbers, parts));
    const { counter, reason } = of;
    known.set(counter, { counter, reason, includes: isWhole ? parts : [] });
  }
  return failures.map(({ counter }) => known.get(counter) as FailureCounter);
}

/** `sendNetworkTimeoutErrors` says more than `sendNetworkErrors`, and both say more than `sendErrors`. */
function saysMore(a: NamedFailure, b: NamedFailure): boolean {
  return saidBy(a) > saidBy(b) && b.words.every((word) => a.words.includes(word));
}

function saidBy({ words, isTotal }: NamedFailure): number {
  return words.length - (isTotal ? 0.5 : 0);
}

/** How many failures there were, each once. */
export function failedIn(numbers: Numbers, failures: readonly FailureCounter[]): number {
  return failures.reduce((sum, failure) => sum + ownOf(numbers, failure), 0);
}

/** What a counter counted beyond what it includes. */
export function ownOf(numbers: Numbers, { counter, includes }: FailureCounter): number {
  return sumOf(numbers, [counter]) - sumOf(numbers, includes);
}

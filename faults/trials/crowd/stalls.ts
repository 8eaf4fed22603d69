import { type Entry, WHAT } from "../../oracle/ledger.ts";
import type { MemberSpec } from "./member-spec.ts";

/** What an event loop may be blocked for at most. */
export const MOST_BLOCKED_MS = 50;

/** A stall is told when it is over, by a timer that may be late itself. */
const AROUND_MS = 100;

export interface Stalls {
  /** The longest for which an event loop with the library was blocked, and that of the bare process was late by less. */
  readonly longestMs: number;
  /** The same without what came only once, while the bare process shows that the machine was busy. */
  readonly againMs: number;
  /** The longest by which the bare process was late. */
  readonly longestBareMs: number;
}

/**
 * How the event loops of a crowd fared. Beside it runs a bare process, which does the same without the library: what
 * that one suffers at the same moment, and for as long, is the machine's doing. Where even that one is late by more than
 * the limit at some time, one stall of a crowd may be the machine's too, as a thread that holds a mutex of its process
 * is made to stand still: what the library does to a loop, it does again.
 */
export function stallsOf(
  ledgers: readonly { readonly member: Pick<MemberSpec, "role">; readonly entries: readonly Entry[] }[],
): Stalls {
  const entriesOf = (isBare: boolean) =>
    ledgers.filter(({ member }) => (member.role === "bare") === isBare).flatMap(({ entries }) => entries);
  const bare = entriesOf(true).filter(({ what }) => what === WHAT.late);
  const told = entriesOf(false).filter(
    (entry) => entry.what === WHAT.blocked && !bare.some((late) => isExcusedBy(entry, late)),
  );
  const longestBareMs = longestOf(bare);
  const [longestMs = 0, secondMs = 0] = told.map(({ amount }) => amount).sort((one, other) => other - one);
  return { longestMs, againMs: longestBareMs > MOST_BLOCKED_MS ? secondMs : longestMs, longestBareMs };
}

function isExcusedBy(stall: Entry, late: Entry): boolean {
  const isAtOnce = late.at > stall.at - stall.amount - AROUND_MS && late.at - late.amount < stall.at + AROUND_MS;
  return isAtOnce && late.amount >= stall.amount;
}

const longestOf = (entries: readonly Entry[]) => entries.reduce((most, { amount }) => Math.max(most, amount), 0);

/** What is wrong with them; null where nothing is. The control is judged by the same. */
export function blockedTooLong({ againMs }: Stalls): string | null {
  if (againMs <= MOST_BLOCKED_MS) return null;
  return `an event loop was blocked for ${againMs.toFixed(0)} ms, and not so long at that moment without the library`;
}

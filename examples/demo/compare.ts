/**
 * Holds what the library counted against what really happened.
 *
 * A message is on its way for a moment: the broker has accepted it, and the sender does not know yet. So a count is
 * compared only with what must have happened before it (never above), or because of it (never below):
 *
 *   sent         counted when the acknowledgement arrives   ≤ what the broker accepted
 *   sendAttempts counted before the message is written      ≥ what the broker accepted
 *   received     counted when a message arrives             ≤ what the broker delivered
 *   received     and before it is acknowledged              ≥ what the broker saw acknowledged
 *
 * These hold at every instant, so they hold wherever a run is cut. The host's own log is exact in both directions.
 */

import type { Counts, KeyReading, KeyTruth, Reading, RunEvidence } from "./evidence.ts";

interface Rule {
  readonly counter: string;
  readonly witness: string;
  readonly times: (truth: KeyTruth) => readonly number[];
}

const broker = (counter: string, event: keyof KeyTruth["broker"]): Rule => ({
  counter,
  witness: `the broker ${event}`,
  times: (truth) => truth.broker[event],
});

const host = (counter: string, event: keyof KeyTruth["host"]): Rule => ({
  counter,
  witness: `the host's log has ${event}`,
  times: (truth) => truth.host[event],
});

const EXACT = [
  host("sendAttempts", "attempted"),
  host("sent", "sent"),
  host("received", "received"),
  host("duplicates", "repeated"),
];

const NEVER_ABOVE = [
  broker("sent", "accepted"),
  broker("received", "delivered"),
  broker("acks", "delivered"),
  ...EXACT,
];

const NEVER_BELOW = [
  broker("sendAttempts", "accepted"),
  broker("received", "acknowledged"),
  broker("acks", "acknowledged"),
  ...EXACT,
];

/** A host that closes waits for what is on its way, so there the brokers' tallies are exact too. */
const NEVER_BELOW_AFTER_CLOSE = [...NEVER_BELOW, broker("sent", "accepted"), broker("received", "delivered")];

export interface Comparison {
  readonly run: number;
  readonly userId: string;
  readonly server: string;
  readonly counter: string;
  readonly witness: string;
  readonly counted: number;
  readonly truth: number;
  /** How much of the truth may be missing: what happened in the last moments before a kill. */
  readonly mayMiss: number;
}

/** Every count that must not be above a truth. */
export function upperBounds(runs: readonly RunEvidence[]): Comparison[] {
  return runs.flatMap((run, index) => compare(run, runs[index - 1], NEVER_ABOVE, Number.POSITIVE_INFINITY));
}

/** Every count that must not be below a truth, but for what happened from `lossFrom` on. */
export function lowerBounds(runs: readonly RunEvidence[], lossFrom: (run: RunEvidence) => number): Comparison[] {
  return runs.flatMap((run, index) =>
    compare(run, runs[index - 1], run.ending === "close" ? NEVER_BELOW_AFTER_CLOSE : NEVER_BELOW, lossFrom(run)),
  );
}

/** From when on a run may have lost what it counted: nothing, but for a kill. */
export function lossBegins(
  run: RunEvidence,
  bound: { readonly flushEveryMs: number; readonly oneSaveMs: number },
): number {
  if (run.ending !== "SIGKILL") return Number.POSITIVE_INFINITY;
  return run.endedAt - bound.flushEveryMs - bound.oneSaveMs;
}

function compare(
  run: RunEvidence,
  before: RunEvidence | undefined,
  rules: readonly Rule[],
  lossFrom: number,
): Comparison[] {
  return run.truth.flatMap((truth) =>
    rules.map(({ counter, witness, times }) => {
      const happened = times(truth);
      return {
        run: run.run,
        userId: truth.userId,
        server: truth.server,
        counter,
        witness,
        counted: countedIn(run, before, truth, counter),
        truth: happened.length,
        mayMiss: since(happened, lossFrom),
      };
    }),
  );
}

/** What one run added to the file: the overall number after it, less the one before it. */
export function countedIn(run: RunEvidence, before: RunEvidence | undefined, key: KeyTruth, counter: string): number {
  return overall(run.reading, key, counter) - (before ? overall(before.reading, key, counter) : 0);
}

export function since(times: readonly number[], from: number): number {
  return times.filter((time) => time >= from).length;
}

type Key = Pick<KeyReading, "userId" | "server">;

export function keyIn(reading: Reading, { userId, server }: Key): KeyReading | undefined {
  return reading.servers.find((one) => one.userId === userId && one.server === server);
}

export function overall(reading: Reading, key: Key, counter: string): number {
  return keyIn(reading, key)?.overall[counter] ?? 0;
}

/** The same numbers, whatever their order; a counter that is missing is zero. */
export function sameCounts(a: Counts, b: Counts): boolean {
  return [...Object.keys(a), ...Object.keys(b)].every((name) => (a[name] ?? 0) === (b[name] ?? 0));
}

import type { Recorder } from "../record/recorder.ts";
import type { Sums } from "../store/store.ts";
import { type Flow, pause } from "./flow.ts";

/** What is added in one go: under a millisecond of the host's thread once its code is warm. */
const SUMS_IN_ONE_GO = 2_000;

/** Starts the recorder from what a store holds. Other work of the thread gets its turn in between. */
export function* startFromPast(recorder: Recorder, { keys, sums }: Pick<Sums, "keys" | "sums">): Flow<void> {
  const known = new Map(keys.map((key) => [key.key, key]));
  for (const [i, { key, counter, past, open }] of sums.entries()) {
    if (i > 0 && i % SUMS_IN_ONE_GO === 0) yield* pause();
    const of = known.get(key);
    if (of) recorder.addPast(of, counter, past + open);
  }
}

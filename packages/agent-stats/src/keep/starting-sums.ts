import type { Recorder, StartingSum } from "../record/recorder.ts";
import type { KeyRow, Sums } from "../store/store.ts";
import { type Flow, pause } from "./flow.ts";

/** What is added in one go: under a millisecond of the host's thread once its code is warm. */
const SUMS_IN_ONE_GO = 2_000;

/** Starts the recorder from what a store holds. Other work of the thread gets its turn in between. */
export function* startFromPast(recorder: Recorder, { keys, sums }: Pick<Sums, "keys" | "sums">): Flow<void> {
  const known = new Map(keys.map((key) => [key.key, key]));
  for (let from = 0; from < sums.length; from += SUMS_IN_ONE_GO) {
    if (from > 0) yield* pause();
    recorder.startFrom(startingSums(known, sums.slice(from, from + SUMS_IN_ONE_GO)));
  }
}

function* startingSums(known: ReadonlyMap<number, KeyRow>, sums: Sums["sums"]): Generator<StartingSum> {
  for (const { key, counter, past, open } of sums) {
    const of = known.get(key);
    if (!of) continue;
    const { protocol, userId, server } = of;
    yield { protocol, userId, server, counter, value: past + open };
  }
}

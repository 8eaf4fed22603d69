import type { Recorder } from "../record/recorder.ts";
import type { KeySums } from "../store/store.ts";
import { type Flow, pause } from "./flow.ts";

/** By time, not by number: a fresh process takes ten times as long for its first keys as for its last. */
const STEP_MS = 2;
/** Between two looks at the clock. */
const KEYS_A_LOOK = 50;

/** Starts the recorder from what a store holds. Other work of the thread gets its turn in between. */
export function* startFromPast(recorder: Recorder, keys: readonly KeySums[]): Flow<void> {
  for (let next = 0; next < keys.length; ) {
    if (next > 0) yield* pause();
    next = addStep(recorder, keys, next);
  }
}

/** Adds keys from that one on, until the time is over. Which is next. */
function addStep(recorder: Recorder, keys: readonly KeySums[], from: number): number {
  const until = performance.now() + STEP_MS;
  for (let next = from; next < keys.length; next++) {
    if (next > from && next % KEYS_A_LOOK === 0 && performance.now() > until) return next;
    const key = keys[next] as KeySums;
    recorder.addPast(key, key.past);
    recorder.addPast(key, key.open);
  }
  return keys.length;
}

import { ask, type Flow } from "./flow.ts";
import { HOURS_A_DAY, hourOf } from "./hours.ts";

/** Deletes history that is older than is to be kept, once a day. */
export class Pruning {
  readonly #keepDays: number;
  #prunedAt = 0;

  constructor(keepDays: number) {
    this.#keepDays = keepDays;
  }

  *prune(): Flow<void> {
    const hour = hourOf(Date.now());
    if (Math.abs(hour - this.#prunedAt) < HOURS_A_DAY) return;
    yield* ask("prune", hour - this.#keepDays * HOURS_A_DAY);
    this.#prunedAt = hour;
  }
}

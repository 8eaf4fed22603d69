import { ask, type Flow } from "./flow.ts";
import { HOURS_A_DAY, hourOf } from "./hours.ts";

/**
 * Deletes history that is older than is to be kept, once a day. A clock that shows another year for a while must not
 * take history with it, so its word alone is not enough: today is the day after the latest one that it has shown before.
 */
export class Pruning {
  readonly #keepDays: number;
  #prunedAt = 0;

  constructor(keepDays: number) {
    this.#keepDays = keepDays;
  }

  *prune(): Flow<void> {
    const hour = hourOf(Date.now());
    if (Math.abs(hour - this.#prunedAt) < HOURS_A_DAY) return;
    const today = yield* this.#today(hour);
    if (today !== null) yield* ask("prune", today - this.#keepDays * HOURS_A_DAY);
    this.#prunedAt = hour;
  }

  /** Null where nothing is known of any day before: then nothing can be old. */
  *#today(hour: number): Flow<number | null> {
    // Nothing is to be kept, whatever the day is.
    if (this.#keepDays === 0) return hour;
    const sessions = yield* ask("sessions");
    const seen = [
      ...sessions.flatMap(({ started, lastSaved }) => [hourOf(started), hourOf(lastSaved)]),
      this.#prunedAt,
    ];
    const last = seen.reduce((latest, each) => (each <= hour - HOURS_A_DAY ? Math.max(latest, each) : latest), 0);
    return last === 0 ? null : last + HOURS_A_DAY;
  }
}

const HOUR_MS = 3_600_000;
export const HOURS_A_DAY = 24;

/**
 * Which hour a session's counts belong to. Hours of one session only go forward, whatever the clock does: a small step
 * back is waited for, a larger one begins a new session.
 */
export class SessionHours {
  #latest = 0;
  /** The hour in which the oldest unsaved change was made. */
  #changed: number | null = null;

  /** Something changed now. */
  change(now: number): void {
    this.#changed ??= hourOf(now);
  }

  /** Everything that changed is collected: the hour of what was. */
  collect(now: number): number {
    this.#latest = this.peek(now);
    this.#changed = null;
    return this.#latest;
  }

  /** The hour of what would be collected now. */
  peek(now: number): number {
    return this.next ?? Math.max(this.#latest, hourOf(now));
  }

  /** The hour of what has changed, whenever it is collected; null where nothing changed. */
  get next(): number | null {
    return this.#changed === null ? null : Math.max(this.#latest, this.#changed);
  }

  /** True when the clock shows an hour long before what this session has counted: it was set back. */
  wentBack(now: number): boolean {
    return hourOf(now) < this.#latest - 1;
  }

  startSession(): void {
    this.#latest = 0;
  }
}

/** How long the current hour lasts. */
export function restOfHourMs(now: number): number {
  return HOUR_MS - (now % HOUR_MS);
}

/** In hours since 1970. */
export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS);
}

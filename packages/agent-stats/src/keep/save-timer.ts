import { URGENT, type Urgency } from "../record/row.ts";
import { restOfHourMs } from "./hours.ts";

/** Error counters are saved within 250 ms, the time of the save included. */
const FLUSH_ERRORS_AFTER_MS = 200;
/** A store that fails is tried again after the flush interval, then twice that, up to this. */
const LONGEST_BACKOFF_MS = 60_000;

/** Says when to save. Runs only while there is something to save or to try again, and never keeps a process alive. */
export class SaveTimer {
  readonly #flushEveryMs: number;
  readonly #save: () => void;
  #running: { readonly handle: ReturnType<typeof setTimeout>; readonly due: number } | null = null;
  #failures = 0;
  #stopped = false;

  constructor(flushEveryMs: number, save: () => void) {
    this.#flushEveryMs = flushEveryMs;
    this.#save = save;
  }

  changed(urgency: Urgency, now: number): void {
    const wait = urgency === URGENT ? Math.min(FLUSH_ERRORS_AFTER_MS, this.#flushEveryMs) : this.#flushEveryMs;
    // What is counted before the full hour is saved at the full hour, so that it is found in the hour it belongs to.
    this.#within(Math.max(Math.min(wait, restOfHourMs(now)), this.#backoffMs()));
  }

  /** Something is left to be done, without hurry. */
  again(): void {
    this.#within(Math.max(this.#flushEveryMs, this.#backoffMs()));
  }

  failed(): void {
    // A host that looks often fails often; only what was due counts.
    if (this.#running) return;
    this.#failures += 1;
    this.#within(this.#backoffMs());
  }

  worked(): void {
    this.#failures = 0;
  }

  stop(): void {
    this.#stopped = true;
    if (this.#running) clearTimeout(this.#running.handle);
    this.#running = null;
  }

  #within(ms: number): void {
    const due = performance.now() + ms;
    if (this.#stopped || (this.#running && this.#running.due <= due)) return;
    if (this.#running) clearTimeout(this.#running.handle);
    const handle = setTimeout(() => {
      this.#running = null;
      this.#save();
    }, ms);
    // Browsers number their timers; there is nothing to unref, and no process to keep alive.
    (handle as { unref?(): void }).unref?.();
    this.#running = { handle, due };
  }

  #backoffMs(): number {
    return this.#failures === 0 ? 0 : Math.min(this.#flushEveryMs * 2 ** (this.#failures - 1), LONGEST_BACKOFF_MS);
  }
}

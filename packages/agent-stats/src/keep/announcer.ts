import type { Recorder } from "../record/recorder.ts";
import type { RowGroup } from "../record/row.ts";
import type { AnnouncedRows, DueSave, StatsStore } from "../store/store.ts";
import { Numbers } from "./numbers.ts";
import type { Progress } from "./progress.ts";

/** What may wait longer is saved when the hour is full. */
const LONGEST_MS = 3_600_000;

/** How long one message may be made: others want their turn. */
const MOST_MS_A_MESSAGE = 0.5;
const ROWS_BETWEEN_LOOKS = 64;
/** Of a row that was never saved. */
const NO_HOUR = -1;

/** What is due: all that the announcer does not know by itself. */
export type Due = Omit<DueSave, "turn" | "withinMs">;

/**
 * Tells a store that has a thread of its own where the counters stand in shared memory, so that it saves them when this
 * thread is stuck. Costs one message for each interval in which something is counted.
 */
export class Announcer {
  /** Something was announced in this session: the store may know more of it than was acknowledged. */
  wasHeard = false;

  readonly #recorder: Recorder;
  readonly #progress: Progress;
  readonly #announce: NonNullable<StatsStore["announce"]>;
  readonly #withinMs: number;
  readonly #turns = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  /** Rows below this number are known to the store. */
  #told = 0;
  #isAnew = true;
  #isPaused = true;
  #isDue = false;
  #isGoingOn = false;

  constructor(recorder: Recorder, progress: Progress, announce: NonNullable<StatsStore["announce"]>, withinMs: number) {
    this.#recorder = recorder;
    this.#progress = progress;
    this.#announce = announce;
    this.#withinMs = Math.min(withinMs, LONGEST_MS);
  }

  /** Changes are being collected: what was due is void, the rows are what they were. */
  turn(): void {
    Atomics.add(this.#turns, 0, 1);
    this.#isDue = false;
  }

  /** Rows are about to change otherwise than by counting: nothing is announced until they stand still again. */
  pause(): void {
    this.turn();
    this.#isAnew = true;
    this.#isPaused = true;
  }

  /** All rows stand still, and nothing is on its way to the store. */
  resume(due: Due | null): void {
    this.#isPaused = false;
    this.#isDue = false;
    if (due) this.due(due);
    // Nothing is to be saved: this can wait for a turn of its own.
    else if (this.#isAnew || this.#told < this.#recorder.rowCount) this.#goOn();
  }

  /** Something was counted that is to be saved. */
  due(due: Due): void {
    if (this.#isPaused || this.#isDue) return;
    this.#isDue = true;
    this.wasHeard = true;
    const turn = Atomics.load(this.#turns, 0);
    this.#say({ ...due, turn, withinMs: this.#withinMs });
  }

  /** Of rows below this number the store knows the keys. */
  get knownBelow(): number {
    return this.#isAnew ? 0 : this.#told;
  }

  /** Tells of some rows more. True while there are others. */
  tellMore(): boolean {
    if (!this.#isBehind) return false;
    this.#say(null);
    return this.#isBehind;
  }

  get #isBehind(): boolean {
    return !this.#isPaused && !this.#isAnew && this.#told < this.#recorder.rowCount;
  }

  /** There are new rows. They are told of when whoever makes them has made them all. */
  rowsCame(): void {
    if (this.#isPaused || this.#told < this.#recorder.rowCount - 1) return;
    queueMicrotask(() => {
      if (!this.#isPaused && this.#told < this.#recorder.rowCount) this.#say(null);
    });
  }

  #say(due: DueSave | null): void {
    if (!this.#isHeard(due)) {
      this.#isAnew = true;
      if (!this.#isHeard(due)) return;
    }
    this.#isAnew = false;
    if (this.#told < this.#recorder.rowCount) this.#goOn();
  }

  /**
   * False where the store does not know the rows that were announced before. Of rows in a save whose fate is not known
   * yet it would never hear that they are saved, if it had not known them then: it is told when that is over.
   */
  #isHeard(due: DueSave | null): boolean {
    if (this.#isAnew && this.#progress.isUndecided) return false;
    const rows = this.#rows();
    return this.#announce({ turns: this.#turns, anew: this.#isAnew, rows, due });
  }

  /** Thousands of rows are told of a part at a time, so that this thread never stands still for them. */
  #goOn(): void {
    if (this.#isGoingOn) return;
    this.#isGoingOn = true;
    const timer = setTimeout(() => {
      this.#isGoingOn = false;
      if (!this.#isPaused && this.#told < this.#recorder.rowCount) this.#say(null);
    }, 0);
    (timer as { unref?(): void }).unref?.();
  }

  /** The rows that are to be told of now. */
  #rows(): AnnouncedRows {
    if (this.#isAnew) this.#told = 0;
    const places = new Numbers();
    const stands = new Numbers();
    const servers: string[] = [];
    const owners = new Numbered<RowGroup>();
    const chunks = new Numbered<Float64Array>();
    const until = performance.now() + MOST_MS_A_MESSAGE;
    for (; this.#told < this.#recorder.rowCount; this.#told++) {
      if (servers.length % ROWS_BETWEEN_LOOKS === ROWS_BETWEEN_LOOKS - 1 && performance.now() > until) break;
      const row = this.#recorder.row(this.#told);
      if (!row) continue;
      const { protocol } = row.group;
      const stood = stands.length;
      const hour = this.#progress.stand(row, stands) ?? NO_HOUR;
      places.add3(row.number, owners.numberOf(row.group), chunks.numberOf(row.cells));
      places.add3(row.at + 1, protocol.counters.length, this.#progress.firstCounterOf(protocol));
      places.add(hour);
      places.add(stands.length - stood);
      servers.push(row.server);
    }
    return {
      places: places.taken(),
      owners: owners.things.map(({ protocol, userId }) => [protocol.name, userId]),
      servers,
      counters: this.#progress.counters,
      chunks: chunks.things,
      stands: stands.taken(),
      attempts: this.#attempts(owners.things),
    };
  }

  /** The numbers of all counters of attempts that rows of these owners have. */
  #attempts(owners: readonly RowGroup[]): number[] {
    return [...new Set(owners.map(({ protocol }) => protocol))].flatMap((protocol) => {
      const first = this.#progress.firstCounterOf(protocol);
      return protocol.counters.flatMap(({ attemptsOf }, index) => (attemptsOf === null ? [] : [first + index]));
    });
  }
}

/** Things by numbers, in the order in which they are first met. Most often it is the same as before. */
class Numbered<T> {
  readonly things: T[] = [];
  readonly #numbers = new Map<T, number>();
  #last: T | undefined;
  #lastNumber = 0;

  numberOf(thing: T): number {
    if (thing === this.#last) return this.#lastNumber;
    const known = this.#numbers.get(thing);
    const number = known ?? this.things.length;
    if (known === undefined) {
      this.#numbers.set(thing, number);
      this.things.push(thing);
    }
    this.#last = thing;
    this.#lastNumber = number;
    return number;
  }
}

/** None where the store has no thread of its own, or memory cannot be shared. */
export function announcerOf(
  recorder: Recorder,
  progress: Progress,
  announce: StatsStore["announce"],
  withinMs: number,
): Announcer | null {
  if (!announce || typeof SharedArrayBuffer !== "function") return null;
  return new Announcer(recorder, progress, announce, withinMs);
}

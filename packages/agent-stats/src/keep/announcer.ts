import type { Recorder } from "../record/recorder.ts";
import type { Row } from "../record/row.ts";
import type { AnnouncedRows, DueSave, StatsStore } from "../store/store.ts";
import type { Progress } from "./progress.ts";

/** What may wait longer is saved when the hour is full. */
const LONGEST_MS = 3_600_000;

/** What is due: all that the announcer does not know by itself. */
export type Due = Omit<DueSave, "turn" | "withinMs" | "counters">;

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
    else if (this.#isAnew || this.#told < this.#recorder.rowCount) this.#say(null);
  }

  /** Something was counted that is to be saved. */
  due(due: Due): void {
    if (this.#isPaused || this.#isDue) return;
    this.#isDue = true;
    this.wasHeard = true;
    const turn = Atomics.load(this.#turns, 0);
    this.#say({ ...due, turn, withinMs: this.#withinMs, counters: this.#progress.counters });
  }

  /** There are new rows. They are told of when whoever makes them has made them all. */
  rowsCame(): void {
    if (this.#isPaused || this.#told < this.#recorder.rowCount - 1) return;
    queueMicrotask(() => {
      if (!this.#isPaused && this.#told < this.#recorder.rowCount) this.#say(null);
    });
  }

  #say(due: DueSave | null): void {
    const say = () => {
      const rows = this.#rows();
      const said = { turns: this.#turns, anew: this.#isAnew, rows, due };
      return this.#announce(said);
    };
    if (!say()) {
      this.#isAnew = true;
      if (!say()) return;
    }
    this.#isAnew = false;
    this.#told = this.#recorder.rowCount;
  }

  #rows(): AnnouncedRows {
    const rows: Row[] = [];
    for (let number = this.#isAnew ? 0 : this.#told; number < this.#recorder.rowCount; number++) {
      const row = this.#recorder.row(number);
      if (row) rows.push(row);
    }
    const chunks = [...new Set(rows.map(({ cells }) => cells))];
    const numberOf = new Map(chunks.map((chunk, number) => [chunk, number]));
    const stands = rows.map((row) => this.#progress.stand(row));
    return {
      keys: rows.map(({ number, protocol, userId, server }) => [number, protocol.name, userId, server]),
      chunks,
      places: Float64Array.from(
        rows.flatMap((row, i) => [
          numberOf.get(row.cells) as number,
          row.at + 1,
          row.protocol.counters.length,
          this.#progress.firstCounterOf(row),
          stands[i]?.hour ?? -1,
        ]),
      ),
      attempts: this.#attempts(rows),
      stands: Float64Array.from(stands.flatMap(({ values }) => [...values])),
    };
  }

  /** The numbers of all counters of attempts that these rows have. */
  #attempts(rows: readonly Row[]): number[] {
    const one = new Map(rows.map((row) => [row.protocol, row]));
    return [...one].flatMap(([{ counters }, row]) => {
      const first = this.#progress.firstCounterOf(row);
      return counters.flatMap(({ attemptsOf }, index) => (attemptsOf === null ? [] : [first + index]));
    });
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

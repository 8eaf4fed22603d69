import type { Recorder } from "../record/recorder.ts";
import type { Row, RowGroup } from "../record/row.ts";
import { type AnnouncedRows, type DueSave, PLACE, type StatsStore } from "../store/store.ts";
import type { Progress } from "./progress.ts";

/** What may wait longer is saved when the hour is full. */
const LONGEST_MS = 3_600_000;

/** What one message tells of, in some tenths of a millisecond. */
const ROWS_A_MESSAGE = 500;
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
    else if (this.#isAnew || this.#told < this.#recorder.rowCount) this.#say(null);
  }

  /** Something was counted that is to be saved. */
  due(due: Due): void {
    if (this.#isPaused || this.#isDue) return;
    this.#isDue = true;
    this.wasHeard = true;
    const turn = Atomics.load(this.#turns, 0);
    this.#say({ ...due, turn, withinMs: this.#withinMs });
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
    if (this.#told < this.#recorder.rowCount) this.#goOn();
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
    const rows: Row[] = [];
    for (; this.#told < this.#recorder.rowCount && rows.length < ROWS_A_MESSAGE; this.#told++) {
      const row = this.#recorder.row(this.#told);
      if (row) rows.push(row);
    }
    const owners = new Map<RowGroup, number>();
    const chunks = new Map<Float64Array, number>();
    const stands = rows.map((row) => this.#progress.stand(row));
    const places = new Float64Array(rows.length * PLACE);
    rows.forEach((row, i) => {
      const { length } = row.protocol.counters;
      const stand = stands[i];
      const owner = numberOf(owners, row.group);
      const chunk = numberOf(chunks, row.cells);
      const first = this.#progress.firstCounterOf(row);
      const hour = stand?.hour ?? NO_HOUR;
      const place = [row.number, owner, chunk, row.at + 1, length, first, hour, stand?.values.length ?? 0];
      places.set(place, i * PLACE);
    });
    return {
      places,
      owners: [...owners.keys()].map(({ protocol, userId }) => [protocol.name, userId]),
      servers: rows.map(({ server }) => server),
      counters: this.#progress.counters,
      chunks: [...chunks.keys()],
      stands: joined(stands.flatMap((stand) => stand?.values ?? [])),
      attempts: this.#attempts(rows),
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

function numberOf<T>(numbers: Map<T, number>, thing: T): number {
  const known = numbers.get(thing);
  if (known !== undefined) return known;
  numbers.set(thing, numbers.size);
  return numbers.size - 1;
}

function joined(lists: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    whole.set(list, at);
    at += list.length;
  }
  return whole;
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

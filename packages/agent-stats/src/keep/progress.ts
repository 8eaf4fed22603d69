import type { Recorder } from "../record/recorder.ts";
import { CHANGED, type Row } from "../record/row.ts";
import type { Scope } from "../record/scope.ts";
import { type CountedRow, type KeyOfRow, rowsOf, type SaveBatch } from "../store/store.ts";

/** What the store has acknowledged of one row. */
export interface RowProgress {
  /** The hour that is being filled; null before the first. */
  hour: number | null;
  /** What the counters stood at when that hour began, and at the last save that was acknowledged. */
  hourStart: Float64Array;
  saved: Float64Array;
}

/** What a batch says of its session and moment; the counts are filled in from the recorder. */
export type BatchHead = Omit<SaveBatch, "keys" | "counters" | "cells">;

const CELL = 3;

const KNOWN = new WeakMap<Recorder, Progress>();

/** What is saved of a recorder is known beyond the life of its keeper: another one goes on from there. */
export function progressOf(recorder: Recorder): Progress {
  const known = KNOWN.get(recorder);
  known?.startSession();
  const progress = known ?? new Progress(recorder);
  KNOWN.set(recorder, progress);
  return progress;
}

/**
 * Knows what of a recorder's numbers is saved, and turns the difference into batches of absolute values. A batch stays
 * the truth about its rows until it is either acknowledged or released, never both.
 */
export class Progress {
  readonly #rows: (RowProgress | undefined)[] = [];
  readonly #told = new Set<number>();
  readonly #counters: string[] = [];
  readonly #firstCounter = new Map<string, number>();

  constructor(readonly recorder: Recorder) {}

  /** Everything that changed since the last batch; null when nothing did and the session goes on. */
  collect(head: BatchHead): SaveBatch | null {
    const rows = this.recorder.takeChanges();
    const cells = this.#cells(rows, head.hour);
    if (cells.length === 0 && head.ending === undefined) return null;
    // A row that was only reset has nothing to say, and its names are not to come back.
    const counted = new Set(rowsOf({ cells }));
    const keys = this.#untold(rows.filter(({ number }) => counted.has(number)));
    return { ...head, keys, cells, counters: this.#counters };
  }

  /** A batch without counts: asks the store whether the session is still open. */
  empty(head: BatchHead): SaveBatch {
    return { ...head, keys: [], cells: new Float64Array(0), counters: this.#counters };
  }

  /** The batch is in the database: what it holds need not be saved again. */
  acknowledge(batch: SaveBatch): void {
    for (const [row] of batch.keys) this.#told.add(row);
    forEachCell(batch.cells, (number, counter, value) => {
      const row = this.recorder.row(number);
      const progress = this.#rows[number];
      if (!row || !progress) return;
      const index = counter - this.firstCounterOf(row);
      progress.saved[index] = (progress.hourStart[index] as number) + value;
    });
  }

  /** What the store itself says that this session counted: more than was acknowledged, if its own thread saved too. */
  raise(counted: readonly CountedRow[]): void {
    const names = new Map(this.recorder.rows().map((row) => [nameOf(row.protocol.name, row.userId, row.server), row]));
    for (const { protocol, userId, server, counter, value } of counted) {
      const row = names.get(nameOf(protocol, userId, server));
      const index = row?.protocol.counterIndex.get(counter);
      if (!row || index === undefined) continue;
      const { saved } = this.#known(row);
      saved[index] = Math.max(saved[index] as number, (row.base?.[index] ?? 0) + value);
    }
  }

  /** Where the next batch begins to count the row from. */
  stand(row: Row): RowProgress {
    return this.#rows[row.number] ?? { hour: null, hourStart: baseOf(row), saved: baseOf(row) };
  }

  /** The names behind counter numbers. */
  get counters(): readonly string[] {
    return this.#counters;
  }

  /** The batch is not in the database: its rows are as if they had just changed. */
  release(batch: SaveBatch): void {
    for (const row of this.#rowsIn(batch)) this.recorder.touched(row, CHANGED);
  }

  /** The batches with the key of every row in them: for a store that knows none of them any more. */
  withAllKeys(batches: readonly SaveBatch[]): SaveBatch[] {
    this.#told.clear();
    return batches.map((batch) => ({ ...batch, keys: this.#untold(this.#rowsIn(batch)) }));
  }

  /** The batch without users who were forgotten since it was collected. */
  withoutForgotten(batch: SaveBatch): SaveBatch {
    const stays = (number: number) => this.recorder.row(number) !== undefined;
    const cells: number[] = [];
    forEachCell(batch.cells, (row, counter, value) => stays(row) && cells.push(row, counter, value));
    return { ...batch, keys: batch.keys.filter(([row]) => stays(row)), cells: Float64Array.from(cells) };
  }

  /** From here a new session counts: what is saved belongs to the one before. */
  startSession(): void {
    this.forgetTold();
    this.#rows.forEach((progress, number) => {
      const row = this.recorder.row(number);
      if (!progress || !row) return;
      row.base = progress.saved.slice();
      progress.hour = null;
    });
  }

  /** The store may have lost the keys behind row numbers: tell them again. */
  forgetTold(): void {
    this.#told.clear();
  }

  /** What the scope's counters stand at: taken before a reset, given back to `drop` when it is done. */
  values(scope: Scope): Map<Row, Float64Array> {
    return new Map(this.recorder.rows(scope).map((row) => [row, row.values()]));
  }

  /** What the scope's counters stood at when last saved: what a reset by someone else took away. */
  savedValues(scope: Scope): Map<Row, Float64Array> {
    return new Map(this.recorder.rows(scope).map((row) => [row, this.#rows[row.number]?.saved ?? baseOf(row)]));
  }

  /** Takes these values off the counters: they were reset, what was counted since stays. */
  drop(values: Map<Row, Float64Array>): void {
    for (const [row, taken] of values) {
      for (const [index, value] of taken.entries()) row.setValue(index, row.value(index) - value);
      row.base = null;
      this.#rows[row.number] = undefined;
      if (taken.length > 0) this.recorder.touched(row, CHANGED);
    }
  }

  /** The rows of the batch whose users were not forgotten since. */
  #rowsIn(batch: SaveBatch): Row[] {
    return rowsOf(batch).flatMap((number) => this.recorder.row(number) ?? []);
  }

  #untold(rows: readonly Row[]): KeyOfRow[] {
    return rows
      .filter((row) => !this.#told.has(row.number))
      .map((row) => [row.number, row.protocol.name, row.userId, row.server]);
  }

  #cells(rows: readonly Row[], hour: number): Float64Array {
    const cells: number[] = [];
    for (const row of rows) {
      const progress = this.#progressOf(row, hour);
      const first = this.firstCounterOf(row);
      for (let index = 0; index < progress.saved.length; index++) {
        const value = row.value(index);
        if (value !== progress.saved[index]) {
          cells.push(row.number, first + index, value - (progress.hourStart[index] as number));
        }
      }
    }
    return Float64Array.from(cells);
  }

  #progressOf(row: Row, hour: number): RowProgress {
    const progress = this.#known(row);
    if (progress.hour !== hour) {
      progress.hour = hour;
      progress.hourStart = progress.saved.slice();
    }
    return progress;
  }

  #known(row: Row): RowProgress {
    const progress = this.stand(row);
    this.#rows[row.number] = progress;
    return progress;
  }

  /** The number of the row's first counter in `counters`. */
  firstCounterOf(row: Row): number {
    const { name, counters } = row.protocol;
    const known = this.#firstCounter.get(name);
    if (known !== undefined) return known;
    const first = this.#counters.length;
    this.#firstCounter.set(name, first);
    this.#counters.push(...counters.map((counter) => counter.name));
    return first;
  }
}

function baseOf(row: Row): Float64Array {
  return row.base?.slice() ?? new Float64Array(row.protocol.counters.length);
}

function nameOf(...key: readonly [protocol: string, userId: string, server: string]): string {
  return JSON.stringify(key);
}

function forEachCell(cells: Float64Array, visit: (row: number, counter: number, value: number) => void): void {
  for (let i = 0; i < cells.length; i += CELL) {
    visit(cells[i] as number, cells[i + 1] as number, cells[i + 2] as number);
  }
}

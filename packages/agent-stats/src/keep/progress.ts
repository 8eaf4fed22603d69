import { Memory, type Place } from "../record/memory.ts";
import type { Protocol } from "../record/protocol.ts";
import type { Recorder } from "../record/recorder.ts";
import { CHANGED, type Row } from "../record/row.ts";
import type { Scope } from "../record/scope.ts";
import { type CountedRow, type KeyOfRow, rowsOf, type SaveBatch } from "../store/store.ts";

/** What the store has acknowledged of one row. There may be a hundred thousand: the numbers stand in common memory. */
interface RowProgress extends Place {
  /** The hour that is being filled; null before the first. */
  hour: number | null;
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
  /** By row: what its counters stood at when its hour began, then what they stood at when last saved. */
  readonly #rows: (RowProgress | undefined)[] = [];
  readonly #memory = new Memory();
  /** By row: true where the store knows its key. */
  #told: (true | undefined)[] = [];
  readonly #counters: string[] = [];
  readonly #firstCounter = new Map<Protocol, number>();

  constructor(readonly recorder: Recorder) {}

  /** Everything that changed since the last batch; null when nothing did and the session goes on. */
  collect(head: BatchHead): SaveBatch | null {
    const cells = new Cells();
    const keys: KeyOfRow[] = [];
    for (const row of this.recorder.takeChanges()) {
      // A row that was only reset has nothing to say, and its names are not to come back.
      if (this.#addCells(row, head.hour, cells) && !this.#told[row.number]) keys.push(keyOf(row));
    }
    if (cells.length === 0 && head.ending === undefined) return null;
    return { ...head, keys, cells: cells.taken(), counters: this.#counters };
  }

  /** A batch without counts: asks the store whether the session is still open. */
  empty(head: BatchHead): SaveBatch {
    return { ...head, keys: [], cells: new Float64Array(0), counters: this.#counters };
  }

  /** The batch is in the database: what it holds need not be saved again. */
  acknowledge(batch: SaveBatch): void {
    for (const [row] of batch.keys) this.#told[row] = true;
    const { cells } = batch;
    for (let i = 0; i < cells.length; ) {
      const number = cells[i] as number;
      const row = this.recorder.row(number);
      // Of a user who was forgotten since, nothing is known any more, not even where the row's own cells end.
      const progress = row && this.#rows[number];
      const length = row?.protocol.counters.length ?? 0;
      const first = row ? this.firstCounterOf(row) : 0;
      // The counters of a row come together.
      for (; i < cells.length && cells[i] === number; i += CELL) {
        if (!progress) continue;
        const at = progress.at + (cells[i + 1] as number) - first;
        progress.cells[at + length] = (progress.cells[at] as number) + (cells[i + 2] as number);
      }
    }
  }

  /** What the store itself says that this session counted: more than was acknowledged, if its own thread saved too. */
  raise(counted: readonly CountedRow[]): void {
    const names = new Map(this.recorder.rows().map((row) => [nameOf(row.protocol.name, row.userId, row.server), row]));
    for (const { protocol, userId, server, counter, value } of counted) {
      const row = names.get(nameOf(protocol, userId, server));
      const index = row?.protocol.counterIndex.get(counter);
      if (!row || index === undefined) continue;
      const { cells, at } = this.#known(row);
      const saved = at + row.protocol.counters.length + index;
      cells[saved] = Math.max(cells[saved] as number, row.began(index) + value);
    }
  }

  /**
   * Where the next batch begins to count the row from: its hour, null before the first; and what its counters stood at
   * when that began, then when they were last saved; once where both are the same. Null where they stood at zero.
   */
  stand(row: Row): { readonly hour: number | null; readonly values: Float64Array } | null {
    const progress = this.#rows[row.number];
    if (progress) {
      const end = progress.at + 2 * row.protocol.counters.length;
      return { hour: progress.hour, values: progress.cells.subarray(progress.at, end) };
    }
    const past = row.past();
    return past && { hour: null, values: past };
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
    this.forgetTold();
    return batches.map((batch) => ({ ...batch, keys: this.#rowsIn(batch).map(keyOf) }));
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
      row.beginAt(savedOf(row, progress));
      progress.hour = null;
    });
  }

  /** The store may have lost the keys behind row numbers: tell them again. */
  forgetTold(): void {
    this.#told = [];
  }

  /** What the scope's counters stand at: taken before a reset, given back to `drop` when it is done. */
  values(scope: Scope): Map<Row, Float64Array> {
    return new Map(this.recorder.rows(scope).map((row) => [row, row.values()]));
  }

  /** What the scope's counters stood at when last saved: what a reset by someone else took away. */
  savedValues(scope: Scope): Map<Row, Float64Array> {
    return new Map(this.recorder.rows(scope).map((row) => [row, savedOf(row, this.#rows[row.number])]));
  }

  /** Takes these values off the counters: they were reset, what was counted since stays. */
  drop(values: Map<Row, Float64Array>): void {
    for (const [row, taken] of values) {
      for (const [index, value] of taken.entries()) row.setValue(index, row.value(index) - value);
      row.beginAt(null);
      this.#rows[row.number] = undefined;
      if (taken.length > 0) this.recorder.touched(row, CHANGED);
    }
  }

  /** The rows of the batch whose users were not forgotten since. */
  #rowsIn(batch: SaveBatch): Row[] {
    return rowsOf(batch).flatMap((number) => this.recorder.row(number) ?? []);
  }

  /** The cells of what changed in the row; false where nothing did. */
  #addCells(row: Row, hour: number, into: Cells): boolean {
    const { cells, at, hour: known } = this.#known(row);
    const length = row.protocol.counters.length;
    if (known !== hour) this.#beginHour(row, hour);
    const first = this.firstCounterOf(row);
    const before = into.length;
    for (let index = 0; index < length; index++) {
      const value = row.value(index);
      if (value === cells[at + length + index]) continue;
      into.add(row.number, first + index, value - (cells[at + index] as number));
    }
    return into.length > before;
  }

  #beginHour(row: Row, hour: number): void {
    const progress = this.#known(row);
    const { cells, at } = progress;
    const length = row.protocol.counters.length;
    for (let i = at; i < at + length; i++) cells[i] = cells[i + length] as number;
    progress.hour = hour;
  }

  #known(row: Row): RowProgress {
    const known = this.#rows[row.number];
    if (known) return known;
    const { cells, at } = this.#memory.take(2 * row.protocol.counters.length);
    const past = row.past();
    if (past) {
      cells.set(past, at);
      cells.set(past, at + past.length);
    }
    const made: RowProgress = { hour: null, cells, at };
    this.#rows[row.number] = made;
    return made;
  }

  /** The number of the row's first counter in `counters`. */
  firstCounterOf(row: Row): number {
    const known = this.#firstCounter.get(row.protocol);
    if (known !== undefined) return known;
    const first = this.#counters.length;
    this.#firstCounter.set(row.protocol, first);
    this.#counters.push(...row.protocol.counters.map((counter) => counter.name));
    return first;
  }
}

/** The cells of a batch while they are collected: what comes to be known in the middle of the work is how many. */
class Cells {
  length = 0;
  #cells = new Float64Array(256 * CELL);

  add(row: number, counter: number, value: number): void {
    const at = this.length;
    if (at === this.#cells.length) {
      const larger = new Float64Array(2 * at);
      larger.set(this.#cells);
      this.#cells = larger;
    }
    this.#cells[at] = row;
    this.#cells[at + 1] = counter;
    this.#cells[at + 2] = value;
    this.length = at + CELL;
  }

  taken(): Float64Array {
    return this.#cells.slice(0, this.length);
  }
}

function keyOf(row: Row): KeyOfRow {
  return [row.number, row.protocol.name, row.userId, row.server];
}

function savedOf(row: Row, progress: RowProgress | undefined): Float64Array {
  const length = row.protocol.counters.length;
  if (progress) return progress.cells.slice(progress.at + length, progress.at + 2 * length);
  return row.past() ?? new Float64Array(length);
}

function nameOf(...key: readonly [protocol: string, userId: string, server: string]): string {
  return JSON.stringify(key);
}

function forEachCell(cells: Float64Array, visit: (row: number, counter: number, value: number) => void): void {
  for (let i = 0; i < cells.length; i += CELL) {
    visit(cells[i] as number, cells[i + 1] as number, cells[i + 2] as number);
  }
}

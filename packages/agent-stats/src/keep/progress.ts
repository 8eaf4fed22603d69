import { Memory, type Place } from "../record/memory.ts";
import type { Protocol } from "../record/protocol.ts";
import type { Recorder } from "../record/recorder.ts";
import { CHANGED, type Row } from "../record/row.ts";
import type { Scope } from "../record/scope.ts";
import { type CountedRow, type KeyOfRow, rowsOf, type SaveBatch } from "../store/store.ts";
import { CELL, carry, copy, forEachCell, Numbers } from "./numbers.ts";
import type { Left } from "./session-options.ts";

/**
 * One row: its place holds what its counters stood at when they were last collected. There may be a hundred thousand:
 * the numbers stand in common memory.
 */
interface RowProgress extends Place {
  /** The hour that is being filled; null before the first. */
  hour: number | null;
  /** What the counters stood at when that began; null where none has begun but the session's first. */
  hourStart: Place | null;
}

/** What became of a row's numbers in a batch whose fate is not known yet. */
interface Undecided {
  /** Triples, as in a batch. */
  readonly cells: Float64Array;
  /** Of each triple: what the counter stood at when it was collected before. */
  readonly before: Float64Array;
}

/** What a batch says of its session and moment; the counts are filled in from the recorder. */
export type BatchHead = Omit<SaveBatch, "keys" | "counters" | "cells">;

const KNOWN = new WeakMap<Recorder, Progress>();

/** What is saved of a recorder is known beyond the life of its keeper: another one goes on from there. */
export function progressOf(recorder: Recorder): Progress {
  const known = KNOWN.get(recorder);
  if (known?.left === null) known.takeOver();
  const progress = known ?? new Progress(recorder);
  KNOWN.set(recorder, progress);
  return progress;
}

/**
 * Knows what of a recorder's numbers is saved, and turns the difference into batches of absolute values. A batch stays
 * the truth about its rows until it is either acknowledged or released, never both.
 */
export class Progress {
  /** Batches of unknown fate, whose keeper is gone. */
  left: Left | null = null;
  /** By row. */
  readonly #rows: (RowProgress | undefined)[] = [];
  readonly #memory = new Memory();
  /** What was collected and is neither acknowledged nor released: to be taken back, should it come to that. */
  #undecided: Undecided | null = null;
  /** By row: true where the store knows its key. */
  #told: (true | undefined)[] = [];
  readonly #counters: string[] = [];
  readonly #firstCounter = new Map<Protocol, number>();

  constructor(readonly recorder: Recorder) {}

  /**
   * Everything that changed since the last batch; null when nothing did and the session goes on. Of rows below that
   * number the store knows the keys.
   */
  collect(head: BatchHead, knownBelow = 0): SaveBatch | null {
    const changed = this.recorder.takeChanges();
    // Of most rows two counters change, an attempt and its success. Where it is more, room is made.
    const cells = new Numbers(changed.length * 2 * CELL);
    const before = new Numbers(changed.length * 2);
    const keys: KeyOfRow[] = [];
    // Memory is read twice as fast in the order in which it lies.
    for (const number of Int32Array.from(changed, (row) => row.number).sort()) {
      const row = this.recorder.row(number);
      // A row that was only reset has nothing to say, and its names are not to come back.
      if (!row || !this.#addCells(row, head.hour, cells, before)) continue;
      if (number >= knownBelow && !this.#told[number]) keys.push(keyOf(row));
    }
    if (cells.length === 0 && head.ending === undefined) return null;
    const taken = cells.taken();
    this.#undecided = { cells: taken, before: before.taken() };
    return { ...head, keys, cells: taken, counters: this.#counters };
  }

  /** A batch without counts: asks the store whether the session is still open. */
  empty(head: BatchHead): SaveBatch {
    return { ...head, keys: [], cells: new Float64Array(0), counters: this.#counters };
  }

  /** The batch is in the database: what it holds need not be saved again. */
  acknowledge(batch: SaveBatch): void {
    for (const [row] of batch.keys) this.#told[row] = true;
  }

  /** All that was collected is either acknowledged or released. */
  decided(): void {
    this.#undecided = null;
    this.left = null;
  }

  get isUndecided(): boolean {
    return this.#undecided !== null;
  }

  /** What the store itself says that this session counted: more than was acknowledged, if its own thread saved too. */
  raise(counted: readonly CountedRow[]): void {
    const names = new Map(this.recorder.rows().map((row) => [nameOf(row.protocol.name, row.userId, row.server), row]));
    for (const { protocol, userId, server, counter, value } of counted) {
      const row = names.get(nameOf(protocol, userId, server));
      const index = row?.protocol.counterIndex.get(counter);
      if (!row || index === undefined) continue;
      const { cells, at } = this.#rows[row.number] ?? this.#begin(row);
      cells[at + index] = Math.max(cells[at + index] as number, row.began(index) + value);
    }
  }

  /**
   * Where the next batch begins to count the row from: returns its hour, null before the first; and appends what its
   * counters stood at when that began, then when they were last saved; once where both are the same. Nothing where they
   * stood at zero.
   */
  stand(row: Row, into: Numbers): number | null {
    const progress = this.#rows[row.number];
    const { length } = row.protocol.counters;
    appendStart(row, progress, into);
    // What is not known to be saved is told as if it were not: whoever saves it again does no harm.
    if (progress && this.#undecided) appendStart(row, progress, into);
    else if (progress) into.append(progress, length);
    return progress?.hour ?? null;
  }

  /** The names behind counter numbers. */
  get counters(): readonly string[] {
    return this.#counters;
  }

  /** The batch is not in the database: its rows are as if they had just changed. */
  release(batch: SaveBatch): void {
    if (!this.#undecided) return;
    const rows = new Set(rowsOf(batch));
    const { cells, before } = this.#undecided;
    forEachCell(cells, (number, counter, _, i) => {
      const row = this.recorder.row(number);
      const progress = this.#rows[number];
      if (!row || !progress || !rows.has(number)) return;
      progress.cells[progress.at + counter - this.firstCounterOf(row.protocol)] = before[i] as number;
    });
    for (const row of this.#rowsIn(batch)) this.recorder.touched(row, CHANGED);
  }

  /** A keeper that ends leaves these batches behind, and may yet be asked to end again. */
  leave(batches: readonly SaveBatch[], startedAt: number): void {
    const [first] = batches;
    if (first && this.#undecided) this.left = { batches, session: first.session, startedAt, seen: first.seen };
  }

  /** Another keeper goes on from here. Of what the one before it left, the saves up to this one have arrived. */
  takeOver(saves = 0): void {
    for (const batch of this.left?.batches ?? []) if (batch.save > saves) this.release(batch);
    this.decided();
    this.startSession();
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
      if (progress.hourStart) copy(progress, progress.hourStart, row.protocol.counters.length);
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

  /** The cells of what changed in the row, and what they were before; false where nothing did. */
  #addCells(row: Row, hour: number, into: Numbers, before: Numbers): boolean {
    const { protocol } = row.group;
    const { length } = protocol.counters;
    const progress = this.#rows[row.number] ?? this.#begin(row);
    if (progress.hour !== hour) this.#beginHour(progress, hour, length);
    const { cells: saved, hourStart } = progress;
    const { cells: values } = row;
    const from = row.at + 1;
    const toSaved = progress.at - from;
    const first = this.firstCounterOf(protocol);
    const had = before.length;
    // Most of what a save costs the host's thread is this loop: one index for both lists is a fifth less.
    for (let at = from; at < from + length; at++) {
      const value = values[at] as number;
      let was = saved[at + toSaved] as number;
      if (value === was) continue;
      if (value < was && hourStart) was = carry(hourStart, at - from, was);
      const start = hourStart ? (hourStart.cells[hourStart.at + at - from] as number) : row.began(at - from);
      into.add3(row.number, first + at - from, value - start);
      before.add(was);
      saved[at + toSaved] = value;
    }
    return before.length > had;
  }

  #beginHour(progress: RowProgress, hour: number, length: number): void {
    if (progress.hour !== null) {
      progress.hourStart ??= this.#memory.take(length);
      copy(progress, progress.hourStart, length);
    }
    progress.hour = hour;
  }

  #begin(row: Row): RowProgress {
    const { length } = row.protocol.counters;
    const { cells, at } = this.#memory.take(length);
    const past = row.past();
    if (past) cells.set(past, at);
    const made: RowProgress = { cells, at, hour: null, hourStart: null };
    this.#rows[row.number] = made;
    return made;
  }

  /** The number of the protocol's first counter in `counters`. */
  firstCounterOf(protocol: Protocol): number {
    const known = this.#firstCounter.get(protocol);
    if (known !== undefined) return known;
    const first = this.#counters.length;
    this.#firstCounter.set(protocol, first);
    this.#counters.push(...protocol.counters.map((counter) => counter.name));
    return first;
  }
}

function keyOf(row: Row): KeyOfRow {
  return [row.number, row.protocol.name, row.userId, row.server];
}

function savedOf(row: Row, progress: RowProgress | undefined): Float64Array {
  const { length } = row.protocol.counters;
  if (progress) return progress.cells.slice(progress.at, progress.at + length);
  return row.past() ?? new Float64Array(length);
}

/** What the row's counters stood at when its hour began; nothing where it was never collected and stood at zero. */
function appendStart(row: Row, progress: RowProgress | undefined, into: Numbers): void {
  const { length } = row.protocol.counters;
  const past = progress?.hourStart ? null : row.past();
  if (progress?.hourStart) into.append(progress.hourStart, length);
  else if (past) into.append({ cells: past, at: 0 }, length);
  else if (progress) into.addZeros(length);
}

function nameOf(...key: readonly [protocol: string, userId: string, server: string]): string {
  return JSON.stringify(key);
}

import type { Place } from "./memory.ts";
import type { Protocol } from "./protocol.ts";

/** How soon a change must be saved. A row's first cell holds the most urgent one since it was last collected. */
export const UNCHANGED = 0;
export const CHANGED = 1;
export const URGENT = 2;
export type Urgency = typeof CHANGED | typeof URGENT;

/** Why a call counted nothing. */
export type Rejection = "notWhole" | "negative" | "tooLarge" | "notFinite" | "unknownName" | "badKey";

/** Whoever owns the rows: told of the first change of each, and of each call that counted nothing. */
export interface RowOwner {
  touched(row: Row, urgency: Urgency): void;
  rejected(why: Rejection): void;
  /** Room for so many numbers, all zero. */
  take(width: number): Place;
}

/** A counter of one server, bound: the fastest way to count. */
export interface BoundCounter {
  /** Adds `n`, a whole number of at least 0 (default 1). Never throws and never waits; what cannot be added is counted as rejected. */
  add(n?: number): void;
}

/** The counters of one `<protocol, userId, server>`. Hold on to it: looking it up costs more than counting. */
export interface Server<C extends string = string, G extends string = string> {
  readonly userId: string;
  readonly server: string;
  /** Adds `n`, a whole number of at least 0 (default 1). Never throws and never waits; what cannot be added is counted as rejected. */
  add(counter: C, n?: number): void;
  /** The same for one counter, bound once: for the hottest places. */
  counter(counter: C): BoundCounter;
  /** Sets a gauge: any finite number, shown while this process lives, never stored. */
  set(gauge: G, value: number): void;
}

/** What the rows of one user and protocol share. */
export interface RowGroup {
  readonly owner: RowOwner;
  readonly protocol: Protocol;
  readonly userId: string;
  readonly rows: Map<string, Row>;
  /** True once the user was forgotten, and for handles that never counted. */
  forgotten: boolean;
}

/**
 * One key's numbers: a mark, the counters, the gauges, side by side in memory. It is at once the handle that a host
 * holds, so that forgetting a user can point every handle of that user elsewhere. There may be a hundred thousand: what
 * rows have in common stands in their group.
 */
export class Row implements Server {
  cells: Float64Array;
  at: number;
  /** What the counters stood at when this session began; null where that is zero. */
  #began: Place | null = null;
  /** The counters that are bound; most rows have none. */
  #bound: Bound[] | null = null;

  constructor(
    readonly group: RowGroup,
    readonly number: number,
    readonly server: string,
    place: Place,
  ) {
    this.cells = place.cells;
    this.at = place.at;
    this.clearGauges();
  }

  get protocol(): Protocol {
    return this.group.protocol;
  }

  get userId(): string {
    return this.group.userId;
  }

  add(counter: string, n = 1): void {
    const index = this.protocol.counterIndex.get(counter);
    if (index === undefined) this.group.owner.rejected("unknownName");
    else addTo(this, index, n, urgencyOf(this.protocol, index));
  }

  counter(counter: string): BoundCounter {
    const index = this.protocol.counterIndex.get(counter);
    if (index === undefined) return { add: () => this.group.owner.rejected("unknownName") };
    this.#bound ??= [];
    const known = this.#bound.find((bound) => bound.index === index);
    if (known) return known;
    const bound = new Bound(this, index, urgencyOf(this.protocol, index));
    this.#bound.push(bound);
    return bound;
  }

  set(gauge: string, value: number): void {
    const index = this.protocol.gaugeIndex.get(gauge);
    if (index === undefined) this.group.owner.rejected("unknownName");
    else if (!Number.isFinite(value)) this.group.owner.rejected("notFinite");
    else this.cells[this.at + 1 + this.protocol.counters.length + index] = value;
  }

  clearGauges(): void {
    const { protocol, at } = this;
    const end = at + widthOf(protocol);
    // Of shared memory, `fill` costs more than all else that a new row does.
    for (let i = at + 1 + protocol.counters.length; i < end; i++) this.cells[i] = Number.NaN;
  }

  /** The counter at `index`, as it stands. */
  value(index: number): number {
    return this.cells[this.at + 1 + index] as number;
  }

  setValue(index: number, value: number): void {
    this.cells[this.at + 1 + index] = value;
  }

  reset(): void {
    this.cells.fill(0, this.at + 1, this.at + 1 + this.protocol.counters.length);
    this.#began = null;
  }

  /** What the counter at `index` stood at when this session began. */
  began(index: number): number {
    return this.#began === null ? 0 : (this.#began.cells[this.#began.at + index] as number);
  }

  /** The same of all counters; null where all began at zero. */
  past(): Float64Array | null {
    if (this.#began === null) return null;
    const { cells, at } = this.#began;
    return cells.slice(at, at + this.protocol.counters.length);
  }

  /** From here on these values are what the session began with; null: zero. */
  beginAt(values: ArrayLike<number> | null): void {
    if (values === null) {
      this.#began = null;
      return;
    }
    const { cells, at } = this.#room();
    for (let index = 0; index < values.length; index++) cells[at + index] = values[index] as number;
  }

  /** Adds what was counted before the session. */
  addPast(index: number, value: number): void {
    const { cells, at } = this.#room();
    cells[at + index] = (cells[at + index] as number) + value;
    this.setValue(index, this.value(index) + value);
  }

  #room(): Place {
    this.#began ??= this.group.owner.take(this.protocol.counters.length);
    return this.#began;
  }

  /** All counters, as they stand. */
  values(): Float64Array {
    return this.cells.slice(this.at + 1, this.at + 1 + this.protocol.counters.length);
  }

  /** What this session counted. */
  session(index: number): number {
    return this.value(index) - this.began(index);
  }

  /** The gauge at `index`; NaN where it was never set. */
  gauge(index: number): number {
    return this.cells[this.at + 1 + this.protocol.counters.length + index] as number;
  }

  /** Points this row and its bound counters elsewhere: counts through handles that someone still holds go there. */
  moveTo(place: Place): void {
    this.cells = place.cells;
    this.at = place.at;
    for (const bound of this.#bound ?? []) bound.moveTo(place);
  }
}

/** Five fields and no more: what an addition reads of a counter then stands in one line of the processor's cache. */
class Bound implements BoundCounter {
  #cells: Float64Array;
  #at: number;
  #mark: number;

  constructor(
    readonly row: Row,
    index: number,
    readonly urgency: Urgency,
  ) {
    this.#cells = row.cells;
    this.#at = row.at + 1 + index;
    this.#mark = row.at;
  }

  get index(): number {
    return this.#at - this.#mark - 1;
  }

  add(n = 1): void {
    const cells = this.#cells;
    const at = this.#at;
    const before = cells[at] as number;
    if (isPlain(n) && (cells[this.#mark] as number) >= this.urgency && fits(before, n)) cells[at] = before + n;
    else judge(this.row, this.index, n, this.urgency);
  }

  moveTo({ cells, at }: Place): void {
    this.#at = at + 1 + this.index;
    this.#cells = cells;
    this.#mark = at;
  }
}

/** How many cells a row of this protocol takes: the mark, the counters, the gauges. */
export function widthOf(protocol: Protocol): number {
  return 1 + protocol.counters.length + protocol.gauges.length;
}

function urgencyOf(protocol: Protocol, index: number): Urgency {
  return protocol.counters[index]?.error ? URGENT : CHANGED;
}

/**
 * One comparison tells whole numbers below 2^32 from all else. What is no number at all must not come as far as
 * arithmetic, which can throw.
 */
function isPlain(n: number): boolean {
  return typeof n === "number" && n >>> 0 === n;
}

function fits(before: number, n: number): boolean {
  return before + n <= Number.MAX_SAFE_INTEGER;
}

function addTo(row: Row, index: number, n: number, urgency: Urgency): void {
  const { cells, at } = row;
  const before = cells[at + 1 + index] as number;
  if (isPlain(n) && (cells[at] as number) >= urgency && fits(before, n)) cells[at + 1 + index] = before + n;
  else judge(row, index, n, urgency);
}

/** The rare rest: the first change since the last save, large numbers, and what counts nothing. */
function judge(row: Row, index: number, n: number, urgency: Urgency): void {
  const before = row.value(index);
  if (!Number.isInteger(n)) row.group.owner.rejected("notWhole");
  else if (n < 0) row.group.owner.rejected("negative");
  else if (n === 0) return;
  else if (!fits(before, n)) row.group.owner.rejected("tooLarge");
  else {
    if ((row.cells[row.at] as number) < urgency) row.group.owner.touched(row, urgency);
    row.setValue(index, before + n);
  }
}

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

/**
 * One key's numbers: a mark, the counters, the gauges, side by side in memory. It is at once the handle that a host
 * holds, so that forgetting a user can point every handle of that user elsewhere.
 */
export class Row implements Server {
  cells: Float64Array;
  at: number;
  /** What the counters stood at when this session began; null where that is zero. */
  base: Float64Array | null = null;
  forgotten = false;
  readonly #bound: Bound[] = [];

  constructor(
    readonly owner: RowOwner,
    readonly number: number,
    readonly protocol: Protocol,
    readonly userId: string,
    readonly server: string,
    place: Place,
  ) {
    this.cells = place.cells;
    this.at = place.at;
    this.clearGauges();
  }

  add(counter: string, n = 1): void {
    const index = this.protocol.counterIndex.get(counter);
    if (index === undefined) this.owner.rejected("unknownName");
    else addTo(this, this.at + 1 + index, n, urgencyOf(this.protocol, index));
  }

  counter(counter: string): BoundCounter {
    const index = this.protocol.counterIndex.get(counter);
    if (index === undefined) return { add: () => this.owner.rejected("unknownName") };
    this.#bound[index] ??= new Bound(this, index, urgencyOf(this.protocol, index));
    return this.#bound[index];
  }

  set(gauge: string, value: number): void {
    const index = this.protocol.gaugeIndex.get(gauge);
    if (index === undefined) this.owner.rejected("unknownName");
    else if (!Number.isFinite(value)) this.owner.rejected("notFinite");
    else this.cells[this.at + 1 + this.protocol.counters.length + index] = value;
  }

  clearGauges(): void {
    const { protocol, at } = this;
    this.cells.fill(Number.NaN, at + 1 + protocol.counters.length, at + widthOf(protocol));
  }

  /** The counter at `index`, as it stands. */
  value(index: number): number {
    return this.cells[this.at + 1 + index] as number;
  }

  setValue(index: number, value: number): void {
    this.cells[this.at + 1 + index] = value;
  }

  /** All counters, as they stand. */
  values(): Float64Array {
    return this.cells.slice(this.at + 1, this.at + 1 + this.protocol.counters.length);
  }

  /** What this session counted. */
  session(index: number): number {
    return this.value(index) - (this.base?.[index] ?? 0);
  }

  /** The gauge at `index`; NaN where it was never set. */
  gauge(index: number): number {
    return this.cells[this.at + 1 + this.protocol.counters.length + index] as number;
  }

  /** Points this row and its bound counters elsewhere: counts through handles that someone still holds go there. */
  moveTo(place: Place): void {
    this.cells = place.cells;
    this.at = place.at;
    for (const bound of this.#bound) bound?.follow();
  }
}

class Bound implements BoundCounter {
  #cells: Float64Array;
  #at: number;

  constructor(
    readonly row: Row,
    readonly index: number,
    readonly urgency: Urgency,
  ) {
    this.#cells = row.cells;
    this.#at = row.at + 1 + index;
  }

  add(n = 1): void {
    const before = this.#cells[this.#at] as number;
    // One comparison tells whole numbers below 2^32 from all else; the rare rest is judged out of line. What is no
    // number at all must not come that far: arithmetic with it can throw.
    if (typeof n === "number" && n >>> 0 === n && n > 0 && n <= Number.MAX_SAFE_INTEGER - before) {
      this.#cells[this.#at] = before + n;
      if ((this.#cells[this.#at - 1 - this.index] as number) < this.urgency)
        this.row.owner.touched(this.row, this.urgency);
    } else addTo(this.row, this.#at, n, this.urgency);
  }

  follow(): void {
    this.#cells = this.row.cells;
    this.#at = this.row.at + 1 + this.index;
  }
}

/** How many cells a row of this protocol takes: the mark, the counters, the gauges. */
export function widthOf(protocol: Protocol): number {
  return 1 + protocol.counters.length + protocol.gauges.length;
}

function urgencyOf(protocol: Protocol, index: number): Urgency {
  return protocol.counters[index]?.error ? URGENT : CHANGED;
}

function addTo(row: Row, at: number, n: number, urgency: Urgency): void {
  const before = row.cells[at] as number;
  if (!Number.isInteger(n)) row.owner.rejected("notWhole");
  else if (n < 0) row.owner.rejected("negative");
  else if (n === 0) return;
  else if (n > Number.MAX_SAFE_INTEGER - before) row.owner.rejected("tooLarge");
  else {
    row.cells[at] = before + n;
    if ((row.cells[row.at] as number) < urgency) row.owner.touched(row, urgency);
  }
}

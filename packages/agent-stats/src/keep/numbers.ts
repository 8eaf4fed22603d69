import type { Place } from "../record/memory.ts";

/** How many numbers of a batch are one cell: row, counter, value. */
export const CELL = 3;

/** Numbers that are collected: how many there are comes to be known in the middle of the work. */
export class Numbers {
  length = 0;
  #cells: Float64Array;

  constructor(room = 256) {
    this.#cells = new Float64Array(room);
  }

  add(number: number): void {
    if (this.length === this.#cells.length) this.#grow(1);
    this.#cells[this.length++] = number;
  }

  add3(one: number, two: number, three: number): void {
    const { length } = this;
    if (length + 3 > this.#cells.length) this.#grow(3);
    const cells = this.#cells;
    cells[length] = one;
    cells[length + 1] = two;
    cells[length + 2] = three;
    this.length = length + 3;
  }

  addZeros(count: number): void {
    if (this.length + count > this.#cells.length) this.#grow(count);
    this.length += count;
  }

  append({ cells, at }: Place, count: number): void {
    for (let i = at; i < at + count; i++) this.add(cells[i] as number);
  }

  taken(): Float64Array {
    return this.#cells.slice(0, this.length);
  }

  #grow(more: number): void {
    const larger = new Float64Array(2 * (this.length + more));
    larger.set(this.#cells);
    this.#cells = larger;
  }
}

export function copy(from: Place, to: Place, length: number): void {
  for (let i = 0; i < length; i++) to.cells[to.at + i] = from.cells[from.at + i] as number;
}

/** Of a batch. */
export function forEachCell(
  cells: Float64Array,
  visit: (row: number, counter: number, value: number, i: number) => void,
): void {
  for (let i = 0; i * CELL < cells.length; i++) {
    visit(cells[i * CELL] as number, cells[i * CELL + 1] as number, cells[i * CELL + 2] as number, i);
  }
}

/** The host itself set that counter back. What it counted in this hour stays, and from here it goes on from zero. */
export function carry({ cells, at }: Place, index: number, was: number): number {
  cells[at + index] = (cells[at + index] as number) - was;
  return 0;
}

import type { Place } from "../record/memory.ts";

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

/** Those numbers below `below`, upwards: memory is read twice as fast in the order in which it lies. */
export function inOrder(things: readonly { readonly number: number }[], below: number): Int32Array {
  const marks = new Uint32Array(Math.ceil(below / 32));
  for (const { number } of things) marks[number >>> 5] = (marks[number >>> 5] as number) | (1 << (number & 31));
  const numbers = new Int32Array(things.length);
  let length = 0;
  for (let i = 0; i < marks.length; i++) {
    for (let rest = marks[i] as number; rest !== 0; rest &= rest - 1) {
      numbers[length++] = i * 32 + 31 - Math.clz32(rest & -rest);
    }
  }
  return numbers;
}

/**
 * The first place from `at` on where one list differs from the other, which is shifted against it; `end` where none
 * does. Most of what a save costs the host's thread is spent here: four at a time, it takes a quarter less.
 */
export function nextDifference(one: Float64Array, other: Float64Array, at: number, shift: number, end: number): number {
  let i = at;
  while (
    i < end - 3 &&
    one[i] === other[i + shift] &&
    one[i + 1] === other[i + shift + 1] &&
    one[i + 2] === other[i + shift + 2] &&
    one[i + 3] === other[i + shift + 3]
  ) {
    i += 4;
  }
  while (i < end && one[i] === other[i + shift]) i += 1;
  return i;
}

import type { Place } from "../record/memory.ts";

const FIRST_ROOM = 768;

/** Numbers that are collected: how many there are comes to be known in the middle of the work. */
export class Numbers {
  length = 0;
  /** Those below `length` are collected. Another array whenever more room is made. */
  cells = new Float64Array(FIRST_ROOM);

  /** Makes room for so many more. */
  reserve(more: number): void {
    if (this.length + more <= this.cells.length) return;
    const larger = new Float64Array(2 * (this.length + more));
    larger.set(this.cells);
    this.cells = larger;
  }

  append({ cells, at }: Place, count: number): void {
    this.reserve(count);
    for (let i = 0; i < count; i++) this.cells[this.length + i] = cells[at + i] as number;
    this.length += count;
  }

  taken(): Float64Array {
    return this.cells.slice(0, this.length);
  }
}

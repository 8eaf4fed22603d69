/** The first chunk: a host with a dozen servers needs no more. */
const FIRST_CHUNK_CELLS = 1_024;
/** Chunks double up to here (1 MB), so that memory is never more than twice what the rows need. */
const LARGEST_CHUNK_CELLS = 131_072;

/** A place in memory: cells `at`, `at + 1`, … of one chunk. */
export interface Place {
  readonly cells: Float64Array;
  readonly at: number;
}

/**
 * Hands out runs of numbers. Chunks are never moved, so whoever holds a place may keep it; they are shared memory where
 * there is any, so that another thread can read the counters of one that hangs.
 */
export class Memory {
  #chunk: Float64Array = new Float64Array(0);
  #used = 0;

  take(width: number): Place {
    if (this.#used + width > this.#chunk.length) {
      const doubled = Math.min(Math.max(this.#chunk.length * 2, FIRST_CHUNK_CELLS), LARGEST_CHUNK_CELLS);
      this.#chunk = cells(Math.max(doubled, width));
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += width;
    return { cells: this.#chunk, at };
  }
}

function cells(length: number): Float64Array<ArrayBufferLike> {
  return typeof SharedArrayBuffer === "function"
    ? new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT))
    : new Float64Array(length);
}

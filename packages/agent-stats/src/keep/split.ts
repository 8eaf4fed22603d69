import type { SaveBatch } from "../store/store.ts";

/**
 * The batch in parts of at most so many cells, the counters of one row together: each is a save of its own, and others
 * get their turn between them. The numbers are those of one moment all the same.
 */
export function split(batch: SaveBatch, mostCells: number, nextSave: () => number): SaveBatch[] {
  if (batch.cells.length <= mostCells * 3) return [batch];
  const { ending, ...head } = batch;
  const parts: SaveBatch[] = [];
  for (let from = 0; from < batch.cells.length; ) {
    const to = endOfPart(batch.cells, from, mostCells * 3);
    const cells = batch.cells.slice(from, to);
    const rows = new Set(cells.filter((_, index) => index % 3 === 0));
    const keys = batch.keys.filter(([row]) => rows.has(row));
    const isLast = to === batch.cells.length;
    const save = from === 0 ? batch.save : nextSave();
    parts.push({ ...head, save, keys, cells, ...(isLast && ending !== undefined && { ending }) });
    from = to;
  }
  return parts;
}

/** At least one row; then whole rows while they fit. */
function endOfPart(cells: Float64Array, from: number, most: number): number {
  let end = from;
  for (let next = from; next < cells.length; ) {
    const row = cells[next];
    while (next < cells.length && cells[next] === row) next += 3;
    if (end > from && next - from > most) return end;
    end = next;
  }
  return end;
}

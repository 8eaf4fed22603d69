import { isOwn } from "./groups.ts";
import type { Names } from "./names.ts";
import type { ServerRow } from "./select.ts";
import { type Told, toldOf } from "./verdict.ts";

export type Column = "server" | "sent" | "received" | "failed" | "rate";

/** The order that somebody chose. */
export interface Order {
  readonly column: Column;
  readonly down: boolean;
}

/**
 * Servers in the order of a column; unless one was chosen, one's own first, and of these the worst: what is wrong with
 * it now, the weightiest first, then its failure rate, then how much it is used.
 */
export function ordered(
  rows: readonly ServerRow[],
  order: Order | null,
  names: Names,
  verdict: readonly Told[] | null,
): ServerRow[] {
  const byName = (a: ServerRow, b: ServerRow) =>
    compare(names.server(a.server), names.server(b.server)) || compare(a.id, b.id);
  if (order === null) {
    return rows
      .map((row) => ({ row, weights: weightsOf(row, verdict ?? []) }))
      .toSorted((a, b) => byWeights(a.weights, b.weights) || byName(a.row, b.row))
      .map(({ row }) => row);
  }
  const { column, down } = order;
  const sign = down ? -1 : 1;
  if (column === "server") return rows.toSorted((a, b) => sign * byName(a, b));
  // What is not known stands at the end, whichever way.
  const value = ({ figures }: ServerRow) => (column === "rate" ? highest(figures) : figures[column]);
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || byName(a, b);
    return sign * (x - y) || byName(a, b);
  });
}

/** What decides first stands first. */
function weightsOf(row: ServerRow, verdict: readonly Told[]): number[] {
  const { figures } = row;
  const [worst] = toldOf(verdict, row).filter(({ now }) => now);
  return [
    Number(isOwn(row)),
    worst ? verdict.length - verdict.indexOf(worst) : 0,
    highest(figures) ?? 0,
    (figures.sent ?? 0) + (figures.received ?? 0) + (figures.failed ?? 0),
  ];
}

/** More goes before less. */
function byWeights(a: readonly number[], b: readonly number[]): number {
  return a.map((value, index) => (b[index] ?? 0) - value).find((by) => by !== 0) ?? 0;
}

/** Of the activity that failed most: the one that is shown first. */
function highest({ rates: [first] }: ServerRow["figures"]): number | null {
  return first ? first.failed / first.all : null;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

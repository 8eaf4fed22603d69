import { cells, middle, padEnd, padStart } from "./cells.ts";
import type { Look, Paint } from "./paint.ts";

export interface Column {
  readonly align: "left" | "right";
  /** Its texts lose their middle where the table would be too wide. One column of a table at least should. */
  readonly shrinks?: boolean;
}

export interface Cell {
  readonly text: string;
  readonly look?: Look;
}

const GAP = "  ";
/** What is left of a text that shrinks should still tell something. */
const NARROWEST = 6;

/** How wide each column is, so that every row fits in. Texts must be printable. */
export function columnWidths(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): number[] {
  const widths = columns.map((_, i) => rows.reduce((most, row) => Math.max(most, cells(row[i]?.text ?? "")), 0));
  let surplus = tableWidth(widths) - width;
  return widths.map((natural, i) => {
    if (!columns[i]?.shrinks || surplus <= 0) return natural;
    const shrunk = Math.max(NARROWEST, natural - surplus);
    surplus -= natural - shrunk;
    return shrunk;
  });
}

export function tableWidth(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
}

/** One line of a table. */
export function tableRow(
  columns: readonly Column[],
  widths: readonly number[],
  row: readonly Cell[],
  paint: Paint,
): string {
  return row
    .map(({ text, look = "plain" }, i) => {
      const width = widths[i] ?? 0;
      const fitting = middle(text, width);
      const isLast = i === row.length - 1;
      const padded =
        columns[i]?.align === "right" ? padStart(fitting, width) : isLast ? fitting : padEnd(fitting, width);
      return paint(look, padded);
    })
    .join(GAP)
    .trimEnd();
}

import { describe, expect, test } from "vitest";
import { type Column, columnWidths, tableRow } from "./table.ts";

const COLUMNS: readonly Column[] = [{ align: "left", shrinks: true }, { align: "right" }, { align: "left" }];
const plain = (_: string, text: string) => text;
const rows = (...texts: readonly (readonly string[])[]) => texts.map((row) => row.map((text) => ({ text })));

describe("a table", () => {
  test("is as wide as its texts, numbers to the right", () => {
    const given = rows(["sent", "1", "x"], ["received", "12", "y"]);
    const widths = columnWidths(COLUMNS, given, 80);
    expect(given.map((row) => tableRow(COLUMNS, widths, row, plain))).toEqual(["sent       1  x", "received  12  y"]);
  });

  test("that is too wide loses middles in the column that shrinks", () => {
    const given = rows(["a-very-long-name-of-a-counter", "123456", "x"]);
    const widths = columnWidths(COLUMNS, given, 25);
    expect(tableRow(COLUMNS, widths, given[0] ?? [], plain)).toBe("a-very-…ounter  123456  x");
  });

  test("has as many rows as one likes", () => {
    const row = [{ text: "a" }, { text: "b" }, { text: "c" }];
    const given = Array.from({ length: 200_000 }, () => row);
    expect(columnWidths(COLUMNS, given, 80)).toEqual([1, 1, 1]);
  });
});

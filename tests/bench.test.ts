import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LINE_NAMES } from "../bench/support/line.ts";
import type { Results } from "../bench/support/results.ts";
import { quoteOf, withQuote } from "../bench/support/tables.ts";
import { ROOT } from "./support/tree.ts";

const RESULTS = join(ROOT, "bench", "results.json");
const readme = readFileSync(join(ROOT, "README.md"), "utf8");

/** A number with a unit of time or memory: a speed or a size, wherever it is written. */
const MEASURED = /\b\d[\d.,]*\s?(?:ns|µs|ms|KB|MB)\b/g;

describe("what README says of speed", () => {
  const results = JSON.parse(readFileSync(RESULTS, "utf8")) as Results;
  const quote = quoteOf(results, LINE_NAMES);

  test("is what the benchmark measured, line by line", () => {
    expect(quote.split("\n").length).toBeGreaterThan(LINE_NAMES.length);
    expect(withQuote(readme, quote)).toBe(readme);
    expect(readme).toContain(quote);
  });

  test("names every line of the benchmark", () => {
    for (const node of Object.values(results.nodes))
      expect(Object.keys(node.lines).sort()).toEqual([...LINE_NAMES].sort());
  });

  test("stands in no other place of the section", () => {
    const section = readme.slice(readme.indexOf("## Speed"), readme.indexOf("<!-- bench:"));
    expect(section).not.toBe("");
    expect(section.match(MEASURED) ?? []).toEqual([]);
  });

  test("control: another number in the table is seen, and so is one beside it", () => {
    const forged = readme.replace(
      quote,
      quote.replace(/\d(?= ns)/, (digit) => String((Number(digit) + 1) % 10)),
    );
    expect(forged).not.toBe(readme);
    expect(withQuote(forged, quote)).not.toBe(forged);
    expect("counting takes 2.5 ns".match(MEASURED)).toEqual(["2.5 ns"]);
  });
});

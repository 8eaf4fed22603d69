import { describe, expect, test } from "vitest";
import { problemsOf, type Seen } from "./judge.ts";

const sums = (n: number) => new Map([['["anna","smp://a","sent"]', n]]);
const good = { problem: null, integrity: "ok" };

/** A unit in which every promise was held: 5 acknowledged before the move, 12 in all. */
const held: Seen = {
  scenario: "renamed",
  codes: ["STATS_MOVED"],
  moment: "counting",
  first: "STATS_MOVED",
  memory: sums(10),
  counted: sums(12),
  acknowledged: sums(5),
  closed: null,
  problems: ["STATS_MOVED", null],
  untouched: null,
  files: { kept: { ...good, sums: sums(5) }, path: { ...good, sums: sums(7) } },
};

test("nothing is wrong with a unit in which every promise was held", () => {
  expect(problemsOf(held)).toEqual([]);
  const told = {
    moment: "close",
    first: "STATS_KEY_REJECTED",
    closed: "STATS_KEY_REJECTED",
    memory: sums(12),
  } as const;
  expect(problemsOf({ ...held, ...told, files: { path: { ...good, sums: sums(5) } } })).toEqual([]);
});

test("nor with one that had told it by itself before it was asked to save", () => {
  expect(problemsOf({ ...held, first: "STATS_MISSING", problems: ["STATS_MOVED", "STATS_MISSING", null] })).toEqual([]);
  expect(problemsOf({ ...held, first: null })).toEqual([]);
});

describe("the judge sees", () => {
  const files = (kept: number, path: number): Pick<Seen, "files"> => ({
    files: { kept: { ...good, sums: sums(kept) }, path: { ...good, sums: sums(path) } },
  });
  test.each<[string, Partial<Seen>, RegExp]>([
    ["a save that succeeds into nothing", { first: null, problems: [] }, /first save said nothing/],
    ["a code that tells something else", { problems: ["STATS_DAMAGED"] }, /first save said STATS_DAMAGED/],
    ["a failure where nothing had happened", { codes: [] }, /first save said STATS_MOVED/],
    ["counts that are lost", files(5, 6), /not what was counted/],
    ["counts that are doubled", files(12, 7), /not what was counted/],
    [
      "acknowledged counts lost at an end that failed",
      { closed: "STATS_MOVED", moment: "close", ...files(0, 4), memory: sums(12) },
      /are lost/,
    ],
    [
      "counts doubled at an end that failed",
      { closed: "STATS_MOVED", moment: "close", ...files(12, 7), memory: sums(12) },
      /more than was counted/,
    ],
    ["memory that was dropped", { closed: "STATS_MOVED", moment: "close", memory: sums(5) }, /memory was not kept/],
    ["saving that never resumes", { closed: "STATS_MOVED", memory: sums(12) }, /last save said/],
    ["a changed file of somebody else", { untouched: false }, /was changed/],
    [
      "a file that cannot be read",
      { files: { path: { sums: sums(0), problem: "damaged", integrity: "" } } },
      /cannot be read/,
    ],
    [
      "a file that is damaged",
      { files: { path: { ...good, sums: sums(12), integrity: "row 1 missing" } } },
      /is damaged/,
    ],
  ])("%s", (_, change, what) => {
    expect(problemsOf({ ...held, ...change }).join("; ")).toMatch(what);
  });
});

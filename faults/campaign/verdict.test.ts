import { describe, expect, test } from "vitest";
import { CATALOGUE } from "../catalogue.ts";
import type { Control, TrialOutcome } from "../trial.ts";
import { demandOf, lastLine, verdictOf } from "./verdict.ts";

const bites: Control = { without: "the mechanism", bites: true, seen: { lost: 3 } };
const held: TrialOutcome = { ran: 5, seen: {}, controls: [bites], failures: [] };

describe("a trial's verdict", () => {
  test("holds when nothing failed and every control bit", () => expect(verdictOf(held)).toBe(true));

  test.each<[string, Partial<TrialOutcome>]>([
    ["something failed", { failures: [{ seed: 1, what: "lost" }] }],
    ["a control did not bite", { controls: [bites, { ...bites, bites: false }] }],
    ["there was no control", { controls: [] }],
    ["nothing ran, and nobody says why", { ran: 0, controls: [] }],
  ])("fails when %s", (_, change) => expect(verdictOf({ ...held, ...change })).toBe(false));

  test("holds when it could not run and says why", () => {
    expect(verdictOf({ ran: 0, seen: {}, controls: [], failures: [], skipped: "no compiler" })).toBe(true);
  });
});

test("only a whole full run demands the minimum; no trial may be skipped there, nor where it was said so", () => {
  const demand = (scale: "small" | "full", count: number | null, noSkip = false) =>
    demandOf({ atLeast: 40 }, { scale, count, noSkip });
  expect(demand("full", null)).toEqual({ atLeast: 40, maySkip: false });
  expect(demand("full", 3)).toEqual({ atLeast: 1, maySkip: true });
  expect(demand("small", null)).toEqual({ atLeast: 1, maySkip: true });
  expect(demand("small", null, true)).toEqual({ atLeast: 1, maySkip: false });
});

test.each(CATALOGUE)("full runs at least the minimum of $name", ({ atLeast, scale }) => {
  expect(atLeast).toBeGreaterThan(0);
  expect(scale.full).toBeGreaterThanOrEqual(atLeast);
  expect(scale.small).toBeGreaterThan(0);
});

describe("the last line", () => {
  const trial = { atLeast: 40 };
  const all = { ok: true, ran: 40, trial };
  const small = { ok: true, ran: 5, trial };
  const skipped = { ok: true, ran: 0, skipped: "no compiler", trial };
  const failed = { ok: false, ran: 40, trial };

  test.each([
    ["every promise held", [all, all]],
    ["every promise held, 1 of fewer units than a full run's", [all, small]],
    ["what ran held, 1 skipped, 1 of fewer units than a full run's", [skipped, small]],
    ["nothing ran, 1 skipped", [skipped]],
    ["1 of 2 trials failed, 1 skipped", [failed, skipped]],
  ])("says: %s", (line, results) => {
    expect(lastLine(results, null)).toBe(line);
  });

  test("tells when a driver was not there", () => {
    expect(lastLine([all], "it crashes")).toBe("every promise held, one driver of two");
  });
});

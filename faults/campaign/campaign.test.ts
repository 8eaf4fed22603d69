import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MARK } from "../oracle/canary.ts";
import { withReport } from "../report.ts";
import type { Control, Trial, TrialOutcome } from "../trial.ts";
import { parseFlags, UsageError } from "./flags.ts";
import { jsonOf } from "./json.ts";
import { runTrial } from "./run-trial.ts";
import { grouped, tableOf } from "./table.ts";
import { type Demand, demandOf } from "./verdict.ts";

const bites: Control = { without: "the mechanism", bites: true, seen: { lost: 3 } };
const held: TrialOutcome = { ran: 5, seen: { corrupt: 0, acknowledgedLost: 0 }, controls: [bites], failures: [] };

const trialOf = (run: Trial["run"]): Trial => ({
  name: "made",
  what: "a made-up trial",
  unit: "kills",
  atLeast: 40,
  scale: { small: 5, full: 50 },
  run,
});
const mild: Demand = { atLeast: 1, maySkip: true };
const resultOf = (run: Trial["run"], demand = mild) =>
  runTrial({ trial: trialOf(run), count: 5, seed: 7, demand, progress: () => {} });

describe("flags", () => {
  test("have defaults", () => {
    expect(parseFlags([], ["kill"])).toMatchObject({ scale: "small", only: [], count: null, json: false });
  });

  test("are read", () => {
    const args = ["--scale", "full", "--only", "kill", "--seed", "12", "--count", "3", "--json"];
    expect(parseFlags(args, ["kill"])).toMatchObject({ scale: "full", only: ["kill"], seed: 12, count: 3, json: true });
  });

  test.each([
    ["--scale", "huge"],
    ["--only", "nothing"],
    ["--seed", "-1"],
    ["--seed", "x"],
    ["--count", "0"],
    ["--bogus", ""],
    ["stray", ""],
  ])("%s %s is refused in one sentence", (...args) => {
    const parse = () => parseFlags(args.filter(Boolean), ["kill"]);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(/^[^\n]+\.$/);
  });
});

describe("the runner", () => {
  test("gives a folder, and removes it", async () => {
    let folder = "";
    const result = await resultOf(async (context) => {
      folder = context.folder;
      expect(existsSync(folder)).toBe(true);
      return held;
    });
    expect(result.ok).toBe(true);
    expect(existsSync(folder)).toBe(false);
  });

  test("fails a trial that breaks, and one that leaves a name in the open", async () => {
    const broken = await resultOf(async () => {
      throw new Error("no such thing");
    });
    expect(broken.failures[0]).toMatchObject({ seed: 7, what: expect.stringContaining("no such thing") });
    const unheard = await resultOf(async () => {
      void Promise.reject(new Error("nobody hears it"));
      await new Promise((resolve) => setTimeout(resolve, 1));
      return held;
    });
    expect(unheard.ok).toBe(false);
    expect(unheard.failures[0]).toMatchObject({ seed: 7, what: expect.stringContaining("nobody hears it") });
    const { writeFileSync } = await import("node:fs");
    const leaking = await resultOf(async ({ folder }) => {
      writeFileSync(join(folder, "output.txt"), `user-${MARK}-1`);
      return held;
    });
    expect(leaking.ok).toBe(false);
    expect(leaking.failures[0]?.what).toContain("output.txt");
  });

  test("tells how to repeat a failure, in a table and as one line of JSON", async () => {
    const result = await resultOf(async () => ({ ...held, failures: [{ seed: 99, what: "two were lost" }] }));
    const table = tableOf([result]);
    expect(table).toContain("two were lost");
    expect(table).toContain("--only made --seed 99");
    expect(table).toContain("bites (lost 3)");
    const json = jsonOf([result]);
    expect(json).not.toContain("\n");
    expect(JSON.parse(json).made).toMatchObject({ ran: 5, unit: "kills", ok: false, skipped: null });
  });

  test("fails a full run of fewer than the minimum, and one that was skipped", async () => {
    const full = demandOf(
      trialOf(async () => held),
      { scale: "full", count: null, noSkip: false },
    );
    const few = await resultOf(async () => held, full);
    expect(few).toMatchObject({ ok: false, failures: [{ seed: 7, count: 5, what: "only 5 ran, of at least 40" }] });
    const skipping = async () => ({ ran: 0, seen: {}, controls: [], failures: [], skipped: "no compiler" });
    expect((await resultOf(skipping, full)).failures[0]?.what).toBe("it did not run: no compiler");
    expect(await resultOf(skipping)).toMatchObject({ ok: true, failures: [] });
    const broken = await resultOf(async () => {
      throw new Error("no such thing");
    }, full);
    expect(broken.failures, "why nothing ran is said once").toHaveLength(1);
  });

  test("groups digits as the pages do", () => {
    expect([7, 1234, 12345, 1234567, 1.25].map(grouped)).toEqual(["7", "1234", "12 345", "1 234 567", "1.3"]);
  });
});

describe("the page on reliability", () => {
  const page = "before\n<!-- campaign: written by npm run faults -->\n<!-- campaign: end -->\nafter\n";
  const of = { scale: "full", seed: 7, count: null } as const;

  test("is given a line a trial; what did not run again stays, and so does the prose", async () => {
    const made = await resultOf(async () => held);
    const other = { ...made, trial: { ...made.trial, name: "other" } };
    const both = withReport(page, [made, other], of, new Date(0));
    const again = withReport(both, [{ ...made, ran: 12_345 }], { ...of, seed: 8 }, new Date(0));
    expect(again).toMatch(/^before\n/);
    expect(again).toMatch(/\nafter\n$/);
    expect(again.match(/^\| (made|other) /gm)).toHaveLength(2);
    expect(again.match(/^### (made|other)$/gm)).toHaveLength(2);
    expect(again.split("\n").filter((line) => line.includes("without the mechanism: bites (lost 3)"))).toHaveLength(2);
    expect(again).toContain(`| 1 of 1 bit | `);
    expect(again).toContain(` | ${process.versions.node} | `);
    expect(again).toContain("| 12 345 kills (40) | held |");
    expect(again).toContain("| 5 kills (40) | held (small) |");
    expect(again).toContain("--only made --scale full --seed 8");
    expect(again).toContain("--only other --scale full --seed 7");
    expect(withReport(again, [], of, new Date(0)), "nothing new: nothing changes").toBe(again);
  });

  test("keeps what a full run showed when a smaller one holds, and not when it fails", async () => {
    const made = await resultOf(async () => held);
    const full = withReport(page, [{ ...made, ran: 41 }], of, new Date(0));
    const small = { ...of, scale: "small" } as const;
    expect(withReport(full, [made], small, new Date(0))).toBe(full);
    expect(withReport(full, [made], { ...of, count: 5 }, new Date(0))).toBe(full);
    const once = withReport(page, [made], { ...of, count: 5 }, new Date(0));
    expect(once).toContain("--seed 7 --count 5`");
    expect(withReport(once, [{ ...made, ran: 6 }], small, new Date(0))).toContain("| 6 kills (40) | held (small) |");
    const failed = await resultOf(async () => ({ ...held, failures: [{ seed: 9, what: "two were lost" }] }));
    expect(withReport(full, [failed], small, new Date(0))).toContain("| 5 kills (40) | FAILED |");
  });

  test("tells why a trial failed, three reasons at most", async () => {
    const failures = [1, 2, 3, 4, 5].map((seed) => ({ seed, count: 2, what: `lost ${"x".repeat(1_000)}` }));
    const report = withReport(page, [await resultOf(async () => ({ ...held, failures }))], of, new Date(0));
    expect(report.match(/^- FAILED: lost x{295}; again: `[^`]*--only made --seed [123] --count 2`$/gm)).toHaveLength(3);
    expect(report).toContain("- FAILED: 2 more");
  });

  test("is read also where its table is of an earlier form", async () => {
    const earlier = page.replace("run faults -->", "run faults -->\n| trial | was |\n| --- | --- |\n| old | 1 |");
    const report = withReport(earlier, [await resultOf(async () => held)], of, new Date(0));
    expect(report.match(/^\| \w+ /gm)).toEqual(["| trial ", "| old ", "| made "]);
  });

  test("is left alone where its markers are gone", async () => {
    const made = await resultOf(async () => held);
    expect(() => withReport("no markers", [made], of, new Date(0))).toThrow("markers");
  });
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MARK } from "../oracle/canary.ts";
import { withReport } from "../report.ts";
import type { Control, Trial, TrialOutcome } from "../trial.ts";
import { parseFlags, UsageError } from "./flags.ts";
import { jsonOf } from "./json.ts";
import { runTrial, verdictOf } from "./run-trial.ts";
import { grouped, tableOf } from "./table.ts";

const bites: Control = { without: "the mechanism", bites: true, seen: { lost: 3 } };
const held: TrialOutcome = { ran: 5, seen: { corrupt: 0, acknowledgedLost: 0 }, controls: [bites], failures: [] };

const trialOf = (run: Trial["run"]): Trial => ({
  name: "made",
  what: "a made-up trial",
  unit: "kills",
  scale: { small: 5, full: 50 },
  run,
});
const resultOf = (run: Trial["run"]) => runTrial({ trial: trialOf(run), count: 5, seed: 7, progress: () => {} });

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

  test("groups digits as the pages do", () => {
    expect([7, 1234, 12345, 1234567, 1.25].map(grouped)).toEqual(["7", "1234", "12 345", "1 234 567", "1.3"]);
  });
});

describe("the page on reliability", () => {
  const page = "before\n<!-- campaign: written by npm run faults -->\n<!-- campaign: end -->\nafter\n";
  const of = { scale: "full", seed: 7 } as const;

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
    expect(again).toContain("12 345 kills");
    expect(again).toContain("--only made --scale full --seed 8");
    expect(again).toContain("--only other --scale full --seed 7");
    expect(withReport(again, [], of, new Date(0)), "nothing new: nothing changes").toBe(again);
  });

  test("is left alone where its markers are gone", async () => {
    const made = await resultOf(async () => held);
    expect(() => withReport("no markers", [made], of, new Date(0))).toThrow("markers");
  });
});

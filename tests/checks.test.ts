import { describe, expect, test } from "vitest";
import { count } from "../.ci/count-tests.js";
import { fileProblems } from "../scripts/package-check.js";

describe("the files of a package", () => {
  const isThere = (path: string) => !path.startsWith("src/renamed.");
  const good = ["package.json", "README.md", "LICENSE", "dist/index.js", "dist/index.d.ts"];

  test("are fine when built, told of and licensed", () => {
    expect(fileProblems(good, isThere)).toEqual([]);
  });

  test.each([
    ["no licence", good.filter((path) => path !== "LICENSE")],
    ["nothing that was built", good.filter((path) => !path.startsWith("dist/"))],
    ["a test", [...good, "dist/record/recorder.test.js"]],
    ["what a suite shares", [...good, "dist/agents/mqtt.testing.js"]],
    ["what was built of a file that is gone", [...good, "dist/renamed.js", "dist/renamed.d.ts"]],
    ["the compiler's notes", [...good, "dist/.tsbuildinfo"]],
  ])("control: %s is a problem", (_, files) => {
    expect(fileProblems(files, isThere)).toHaveLength(1);
  });
});

describe("CI's last line", () => {
  const passed = { status: "passed", assertionResults: [{ status: "passed" }] };
  const failed = { status: "failed", assertionResults: [{ status: "failed" }] };
  const unloaded = { status: "failed", assertionResults: [] };

  test("adds up the runs, and counts a file that could not be loaded as a failure", () => {
    const first = { numPassedTests: 1, numFailedTests: 1, numPendingTests: 2, testResults: [passed, failed] };
    const second = { numPassedTests: 1, numFailedTests: 0, numPendingTests: 0, testResults: [passed, unloaded] };
    expect(count([first, second])).toEqual({ passed: 2, failed: 2, skipped: 2 });
  });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { count } from "../.ci/count-tests.js";
import { compileWithoutNode, fileProblems } from "../scripts/package-check.js";

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

describe("the types of a package", { timeout: 60_000 }, () => {
  test("need none of Node.js", async () => {
    const folder = fileURLToPath(new URL("../packages/agent-stats", import.meta.url));
    const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    expect(await compileWithoutNode("agent-stats", folder, Object.keys(exports))).toMatchObject({
      ok: true,
      output: "",
    });
  });

  test.each([
    ["ArrayBuffer", true],
    ["Buffer", false],
  ])("control: of what gives a %s: %s", async (type, ok) => {
    const folder = mkdtempSync(join(tmpdir(), "agent-stats-leak-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "package.json"), '{ "name": "leak", "type": "module", "exports": "./index.js" }');
    writeFileSync(join(folder, "index.d.ts"), `export declare const bytes: ${type};`);
    expect((await compileWithoutNode("leak", folder, ["."])).ok).toBe(ok);
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

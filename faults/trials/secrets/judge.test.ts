import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CANARIES, MARK } from "../../oracle/canary.ts";
import { problemsOf } from "./judge.ts";
import { searchOpenFiles } from "./open-files.ts";
import { SCENARIOS } from "./scenarios.ts";

const held = {
  scenario: "another key",
  says: /STATS_KEY_REJECTED/,
  said: "…STATS_KEY_REJECTED…",
  crashes: false,
  ended: "code 0",
  hits: [],
};

test("nothing is wrong with a host that went wrong as it was meant to, and told nothing", () => {
  expect(problemsOf(held)).toEqual([]);
  expect(problemsOf({ ...held, crashes: true, ended: "code 1" })).toEqual([]);
});

describe("the judge sees", () => {
  test.each<[string, Partial<typeof held>, RegExp]>([
    ["a secret", { hits: ["key, hex in said.log"] as never }, /another key: key, hex in said.log/],
    ["a scenario that did not happen", { said: "all was well" }, /did not happen/],
    ["a host that crashed", { ended: "SIGSEGV" }, /ended with SIGSEGV/],
    ["a host that should have crashed", { crashes: true }, /ended with code 0/],
  ])("%s", (_, change, what) => {
    expect(problemsOf({ ...held, ...change }).join("; ")).toMatch(what);
  });
});

test("a file that has no name any more is read while it is open", () => {
  const folder = mkdtempSync(join(tmpdir(), "open-files-"));
  const fd = openSync(join(folder, "temporary"), "w");
  writeSync(fd, `user-${MARK}`);
  rmSync(folder, { recursive: true });
  expect(searchOpenFiles(process.pid, CANARIES, folder)).toEqual({ files: 1, hits: ["name, utf-8"] });
  closeSync(fd);
  expect(searchOpenFiles(process.pid, CANARIES, folder)).toEqual({ files: 0, hits: [] });
});

test("a thread that did not die, or did not come again, is no scenario of one that dies", () => {
  const { says } = SCENARIOS.find(({ name }) => name === "a worker that dies") ?? {};
  const death = "STATS_STORE_FAILED: The thread of the database ended\nkept again\n";
  expect(says?.test(`${death}${death}threads: 3`)).toBe(true);
  for (const said of ["all was well", `${death}threads: 3`, `${death}${death}threads: 1`])
    expect(says?.test(said)).toBe(false);
});

test("each scenario has a name of its own", () => {
  expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { checked, checkedNow } from "./fuzz.ts";
import { fuzzCounting, fuzzKeys, mayAdd, unguarded } from "./fuzz-calls.ts";
import { judgeRun } from "./fuzz-cli.ts";
import { survives } from "./fuzz-hosts.ts";
import { effectOf, fuzzRequests, unguardedServer } from "./fuzz-wire.ts";

const folder = mkdtempSync(join(tmpdir(), "fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));
const order = (runs: number) => ({ kind: "test", seed: 5, runs, folder });

test("a property that does not hold is found, with the smallest input, and again from the same seed", async () => {
  const below = (n: number) => {
    if (n >= 100) throw new Error("too large");
  };
  const found = checkedNow(order(1_000), fc.nat(), below);
  expect(found.problems).toEqual(["too large; input [100]"]);
  expect(await checked(order(1_000), fc.nat(), async (n) => below(n))).toEqual(found);
  expect(checkedNow(order(50), fc.nat(), () => {})).toEqual({ ran: 50, problems: [] });
});

test("what is guarded holds, and what is not is found out by the same inputs", async () => {
  for (const fuzz of [fuzzCounting, fuzzKeys, fuzzRequests])
    expect(await fuzz(order(500))).toEqual({ ran: 500, problems: [] });
  for (const fuzz of [unguarded, unguardedServer]) expect((await fuzz(order(500))).problems).toHaveLength(1);
});

describe("the models", () => {
  test("of what may be added", () => {
    for (const n of [0, -0, 1, 2 ** 40]) expect(mayAdd(5, n), String(n)).toBe(true);
    for (const n of [-1, 0.5, Number.NaN, "5", null, 2 ** 53, 5n, {}]) expect(mayAdd(5, n), String(n)).toBe(false);
  });

  test("of what a message does", () => {
    const key = { protocol: "smp", userId: "1", server: "a" };
    const hits = (message: unknown) => effectOf(message).hits(key);
    expect(hits({ agentStats: "forget", id: 1, userId: "1" })).toBe(true);
    expect(hits({ agentStats: "reset", id: 1, scope: {} })).toBe(true);
    expect(hits({ agentStats: "reset", id: 1, scope: { server: "b" } })).toBe(false);
    for (const scope of [{ user: "1" }, [], null, { server: 5 }])
      expect(hits({ agentStats: "reset", id: 1, scope })).toBe(false);
    expect(effectOf({ agentStats: "get", id: 1 }).isRequest).toBe(true);
    for (const id of ["1", 0.5, undefined]) expect(effectOf({ agentStats: "get", id }).isRequest).toBe(false);
  });

  test("of what a host's call leaves", () => {
    const key = { protocol: "smp", userId: "1", server: "a" };
    expect(survives("deleteUser", 1, key)).toBe(false);
    expect(survives("reset", { userId: 1, server: "b" }, key)).toBe(true);
    expect(survives("reset", {}, key)).toBe(false);
    expect(survives("addUser", "1", key)).toBe(true);
  });
});

describe("a run of the command is judged", () => {
  const run = (code: unknown, said: string) => () => judgeRun({ code, said });
  test("by its exit code and by what it said", () => {
    expect(run(2, "agent-stats: There is no verb of that name [USAGE]\n")).not.toThrow();
    expect(run(null, "")).toThrow("ended with null");
    expect(run("SIGSEGV", "")).toThrow("ended with SIGSEGV");
    expect(run(1, "agent-stats: This should not have happened (TypeError): please report it. [UNEXPECTED]")).toThrow(
      "foresaw",
    );
    expect(run(1, "Error: x\n    at run (file:///main.js:1:2)\n")).toThrow("stack");
  });
});

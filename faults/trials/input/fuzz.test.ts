import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineProtocol, readAgentStats, StatsError } from "agent-stats";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { MARK } from "../../oracle/canary.ts";
import { checked, checkedNow } from "./fuzz.ts";
import { fuzzCounting, fuzzKeys, mayAdd, unguarded } from "./fuzz-calls.ts";
import { judgeRun } from "./fuzz-cli.ts";
import { DOORS, fuzzDoors, unguardedDoors } from "./fuzz-doors.ts";
import { survives } from "./fuzz-hosts.ts";
import { effectOf, fuzzRequests, unguardedServer } from "./fuzz-wire.ts";
import { countFor, ordersOf } from "./input.ts";
import { expectTyped, folderOf, isTyped } from "./typed.ts";

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
  // As many runs as it took, and no more, find it again.
  expect(checkedNow(order(found.ran), fc.nat(), below)).toEqual(found);
  expect(checkedNow(order(found.ran - 1), fc.nat(), below).problems).toEqual([]);
});

test("what is guarded holds, and what is not is found out by the same inputs", async () => {
  for (const fuzz of [fuzzCounting, fuzzKeys, fuzzRequests])
    expect(await fuzz(order(500))).toEqual({ ran: 500, problems: [] });
  for (const fuzz of [unguarded, unguardedServer]) expect((await fuzz(order(500))).problems).toHaveLength(1);
});

test("a failure comes again from its own seed and count, whichever of many orders it was in", () => {
  for (const { kind, runs, seed } of ordersOf(2_000_000, 7)) {
    const again = ordersOf(countFor(kind, runs), seed).filter((each) => each.kind === kind);
    expect(again[0]?.seed).toBe(seed);
    expect(again[0]?.runs).toBeGreaterThanOrEqual(runs);
  }
});

describe("an error is an answer", () => {
  const here = folderOf(import.meta.url);
  const thrown = (call: () => unknown): unknown => {
    try {
      return call();
    } catch (error) {
      return error;
    }
  };

  test("where the library made it, and nowhere else", () => {
    expect(isTyped(thrown(() => defineProtocol("", {})))).toBe(true);
    expect(isTyped(thrown(() => sqlcipherStore({ file: "x", key: "" })))).toBe(true);
    expect(isTyped(new StatsError("STATS_CLOSED", "closed"))).toBe(true);
    expect(isTyped(new TypeError("made here"))).toBe(false);
    expect(isTyped(new Error("asked"))).toBe(false);
    expect(isTyped(thrown(() => readAgentStats({ store: { sums: 5 } as never })))).toBe(true);
    const broken = {
      name: "x",
      get definition() {
        return (null as never as { a: 1 }).a;
      },
    };
    expect(isTyped(thrown(() => defineProtocol("x", broken as never)))).toBe(false);
  });

  test("but never one of V8, whatever its class, and wherever it is born", () => {
    for (const call of [
      () => (undefined as never as { a: 1 }).a,
      () => (null as never as () => void)(),
      () => [...(5 as never as [])],
      () => (Symbol("s") as never as number) + 1,
      () => new Array(-1),
    ]) {
      const error = thrown(call);
      expect(isTyped(error, here), String(error)).toBe(false);
    }
  });

  test("and holds no name", () => {
    const error = new StatsError("STATS_CLOSED", `user-${MARK}`);
    expect(() => expectTyped(error, "a door")).toThrow("its error holds a name");
  });

  test("each public function is a door", async () => {
    const modules = ["", "/diagnose", "/mqtt", "/report", "/simplex", "/simplex-db", "/sqlcipher", "/sqlite", "/read"];
    const names = DOORS.map(({ name }) => name);
    // Nothing is given to these, or it is what only the library makes.
    const others = [
      "memoryStore",
      "newReportKey",
      "StatsError",
      "SimplexCoreError",
      "SimplexFormatError",
      "SimplexOverlapError",
    ];
    for (const module of modules) {
      const exported = Object.entries(await import(`agent-stats${module}`)).filter(
        ([, value]) => typeof value === "function",
      );
      for (const [name] of exported)
        expect(others.includes(name) || names.some((each) => each.includes(name)), name).toBe(true);
    }
  });

  test("the doors hold, and unguarded ones are found out", async () => {
    expect(await fuzzDoors(order(300))).toEqual({ ran: 300, problems: [] });
    expect((await unguardedDoors(order(300))).problems).toHaveLength(1);
  });
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

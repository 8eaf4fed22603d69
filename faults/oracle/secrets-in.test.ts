import { StatsError } from "agent-stats";
import { expect, test } from "vitest";
import { KEY, MARK } from "./canary.ts";
import { secretsIn } from "./secrets-in.ts";

const deep = (error: unknown) => new StatsError("STATS_BUSY", "In use.", { cause: new Error("why", { cause: error }) });

test.each<[string, unknown]>([
  ["its message", new Error(`no such server: ${MARK}`)],
  ["the message of its cause", deep(new Error(MARK))],
  ["a property of its cause", deep(Object.assign(new Error("why"), { path: `/home/${MARK}` }))],
  ["a hidden property", Object.defineProperty(new Error("why"), "sql", { value: `PRAGMA key = ${KEY}` })],
  ["one of several", new AggregateError([new Error("why"), new Error(MARK)])],
  ["a stack", Object.assign(new Error("why"), { stack: `Error: ${MARK}\n  at here` })],
  ["what is no error", { told: [MARK] }],
])("a secret in %s is found", (_, error) => {
  expect(secretsIn(error)).not.toEqual([]);
});

test("nothing is found where nothing is told", () => {
  expect(secretsIn(deep(new Error("SQLITE_BUSY")))).toEqual([]);
});

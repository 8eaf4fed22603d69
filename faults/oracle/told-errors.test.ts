import { StatsError } from "agent-stats";
import { expect, test } from "vitest";
import { CANARIES, KEY, MARK } from "./canary.ts";
import { secretIn } from "./told-errors.ts";

const deep = (error: unknown) => new StatsError("STATS_BUSY", "In use.", { cause: new Error("why", { cause: error }) });

test.each<[string, unknown, string]>([
  ["its message", new Error(`no such server: ${MARK}`), "name, utf-8"],
  ["the message of its cause", deep(new Error(MARK)), "name, utf-8"],
  ["a property of its cause", deep(Object.assign(new Error("why"), { path: `/home/${MARK}` })), "name, utf-8"],
  ["a hidden property", Object.defineProperty(new Error("why"), "sql", { value: `PRAGMA key = ${KEY}` }), "key, hex"],
  ["one of several", new AggregateError([new Error("why"), new Error(MARK)]), "name, utf-8"],
  ["a stack", Object.assign(new Error("why"), { stack: `Error: ${MARK}\n  at here` }), "name, utf-8"],
  ["what is no error", { told: [MARK] }, "name, utf-8"],
])("a secret in %s is found", (_, error, found) => {
  expect(secretIn(error)).toBe(found);
});

test("nothing is found where nothing is told, and a path only by who looks for it", () => {
  const error = deep(new Error("open /data/stats.db"));
  expect(secretIn(error)).toBe(null);
  expect(secretIn(error, [...CANARIES, { what: "a path", bytes: Buffer.from("/data") }])).toBe("a path");
});

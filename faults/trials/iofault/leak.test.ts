import { expect, test } from "vitest";
import { KEY, userOf } from "../../oracle/names.ts";
import { leakOf } from "./leak.ts";

const withStack = new Error("a disk failed");
withStack.stack = `Error\n    at ${userOf(7)}`;

test.each<[string, Error, string | null]>([
  ["nothing", new Error("a disk failed", { cause: new Error("EIO") }), null],
  ["a path", new Error("a disk failed", { cause: new Error("open /data/stats.db") }), "an error names a path"],
  ["a name in its message", new Error(`no ${userOf(7)}`), "an error tells a secret: name, utf-8"],
  ["a name in its stack", withStack, "an error tells a secret: name, utf-8"],
  ["a key in the cause of its cause", nested(KEY), "an error tells a secret: key, hex"],
  ["a key in a property", Object.assign(new Error("a disk failed"), { key: KEY }), "an error tells a secret: key, hex"],
])("an error that tells %s", (_, error, leak) => {
  expect(leakOf(error, "/data")).toBe(leak);
});

function nested(secret: string): Error {
  return new Error("a disk failed", { cause: new Error("EIO", { cause: new Error(secret) }) });
}

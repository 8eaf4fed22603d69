import { expect, test } from "vitest";
import { KEY, MARK } from "./canary.ts";
import { secretIn } from "./told-errors.ts";

test("a secret is seen wherever an error carries it", () => {
  const cause = new Error("inner", { cause: { sql: `'user-${MARK}-1'` } });
  expect(secretIn(new Error("outer", { cause }))).toBe("name, utf-8");
  expect(secretIn(Object.assign(new Error("read"), { path: KEY }))).toBe("key, hex");
  const told = new Error("told");
  told.stack = `Error: told\n    at ${MARK}`;
  expect(secretIn(told)).toBe("name, utf-8");
  expect(secretIn(MARK)).toBe("name, utf-8");
  expect(secretIn(new Error("outer", { cause: new Error("inner") }))).toBe(null);
});

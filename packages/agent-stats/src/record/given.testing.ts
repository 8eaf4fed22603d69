import { expect } from "vitest";

/** Stands in what is given wrongly, and must stand in no answer. */
export const SECRET = "user-of-nobody";

/** The call throws, or is rejected with, an error that says this and does not repeat what was given. */
export async function expectRefused(
  call: () => unknown,
  says: string | RegExp,
  kind: ErrorConstructor = TypeError,
): Promise<void> {
  const error = await (async () => call())().then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(kind);
  expect(error.message).toMatch(says);
  expect(error.message).not.toContain(SECRET);
}

/** The same of a call that answers at once. */
export function expectThrown(call: () => unknown, says: string | RegExp): void {
  expect(call).toThrow(TypeError);
  expect(call).toThrow(says);
  expect(call).not.toThrow(SECRET);
}

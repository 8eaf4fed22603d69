/**
 * Looks at what public functions are given, before anything is done with it: programs in JavaScript have nobody else who
 * tells them. A sentence says what it must be, never what it was: that could name somebody.
 */

/** @throws TypeError which says what must be given */
export function assertGiven(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new TypeError(sentence);
}

export function isObject(given: unknown): given is Record<PropertyKey, unknown> {
  return typeof given === "object" && given !== null;
}

/** Whether it is an object that can do all of these. */
export function can(given: unknown, ...methods: readonly PropertyKey[]): boolean {
  return isObject(given) && methods.every((method) => typeof given[method] === "function");
}

/** @throws TypeError when it is no object */
export function assertOptions(given: unknown): asserts given is object {
  assertGiven(isObject(given), "options must be an object");
}

/** @throws TypeError when one of them is there, and no function */
export function assertFunctions(given: unknown, ...names: readonly string[]): void {
  for (const name of names) {
    const each = (given as Readonly<Record<string, unknown>>)[name];
    assertGiven(each === undefined || typeof each === "function", `${name} must be a function`);
  }
}

export function isIterable(given: unknown): given is Iterable<unknown> {
  return can(Object(given), Symbol.iterator);
}

/** A moment: dates that are none, such as those of texts that could not be read, are left out. */
export function isDate(given: unknown): given is Date {
  return given instanceof Date && Number.isFinite(given.getTime());
}

/** What a counter can stand at. */
export function isCount(given: unknown): given is number {
  return Number.isSafeInteger(given) && (given as number) >= 0;
}

export function isUserId(given: unknown): given is string | number {
  return typeof given === "string" || typeof given === "number";
}

/** `1` and `"1"` are the same user. @throws TypeError when it is neither text nor a number */
export function userIdOf(given: unknown): string {
  assertGiven(isUserId(given), "a user's id must be text or a number");
  return String(given);
}

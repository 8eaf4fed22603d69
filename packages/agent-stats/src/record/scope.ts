import { assertGiven, isObject, isUserId } from "./given.ts";

/** What a reset or a deletion covers: keys that match every field given. No field: all keys. */
export interface Scope {
  readonly protocol?: string;
  readonly userId?: string;
  readonly server?: string;
}

/** Which keys are meant: those that match every field given. No field: all. */
export interface GivenScope {
  readonly protocol?: string;
  readonly userId?: string | number;
  readonly server?: string;
}

export const SCOPE_FIELDS: ReadonlySet<string> = new Set(["protocol", "userId", "server"] satisfies (keyof Scope)[]);

export function covers(scope: Scope, key: Required<Scope>): boolean {
  return (
    (scope.protocol === undefined || scope.protocol === key.protocol) &&
    (scope.userId === undefined || scope.userId === key.userId) &&
    (scope.server === undefined || scope.server === key.server)
  );
}

/** Whether there are names where names must be. */
export function isScope({ protocol, userId, server }: Partial<Record<keyof Scope, unknown>>): boolean {
  const areNames = [protocol, server].every((name) => name === undefined || typeof name === "string");
  return areNames && (userId === undefined || isUserId(userId));
}

/** As it is kept: a user's number is its name. */
export function scopeOf({ protocol, userId, server }: GivenScope): Scope {
  return {
    ...(protocol !== undefined && { protocol }),
    ...(userId !== undefined && { userId: String(userId) }),
    ...(server !== undefined && { server }),
  };
}

/**
 * What is to be reset. A field that is not known here would have narrowed the scope: without it, more would be reset than
 * was meant.
 *
 * @throws TypeError when it is no scope, or has another field
 */
export function resetScopeOf(given: GivenScope): Scope {
  assertGiven(
    isObject(given) &&
      !Array.isArray(given) &&
      isScope(given) &&
      Object.entries(given).every(([field, value]) => value === undefined || SCOPE_FIELDS.has(field)),
    "a scope has no fields but protocol, userId and server, each a name: nothing was reset",
  );
  return scopeOf(given);
}

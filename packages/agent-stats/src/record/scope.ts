/** What a reset or a deletion covers: keys that match every field given. No field: all keys. */
export interface Scope {
  readonly protocol?: string;
  readonly userId?: string;
  readonly server?: string;
}

export function covers(scope: Scope, key: Required<Scope>): boolean {
  return (
    (scope.protocol === undefined || scope.protocol === key.protocol) &&
    (scope.userId === undefined || scope.userId === key.userId) &&
    (scope.server === undefined || scope.server === key.server)
  );
}

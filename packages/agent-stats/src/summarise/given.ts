/** Looks at what these functions are given: what was read, as whoever keeps it tells it. No sentence says what it was. */

/** @throws TypeError which says what must be given */
export function assertRead(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new TypeError(sentence);
}

export function isRecord(given: unknown): given is Record<string, unknown> {
  return typeof given === "object" && given !== null;
}

/** Whether it is a list, each of it with these fields, all of them objects. */
export function isList(given: unknown, ...fields: readonly string[]): boolean {
  return (
    Array.isArray(given) && given.every((each) => isRecord(each) && fields.every((field) => isRecord(each[field])))
  );
}

export function isDate(given: unknown): boolean {
  return given instanceof Date && Number.isFinite(given.getTime());
}

/** Whether it is what `getServersStats` tells. */
export function isServersStats(given: unknown): boolean {
  return isRecord(given) && isServers(given.servers) && isList(given.sessions) && isDate(given.trackedSince);
}

/** Whether it is the `servers` of that. */
export function isServers(given: unknown): boolean {
  return isList(given, "past", "session", "overall", "live");
}

/** Whether it is what `getTimeline` tells. */
export function isTimeline(given: unknown): boolean {
  return isList(given, "start", "counters");
}

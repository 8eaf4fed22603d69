import { statsErrorOf } from "./handle.ts";

/**
 * Passes on rows whose number is one that can have been counted. Another one was written by somebody else who has the
 * key: it is damage, and no sum that it is part of is told.
 *
 * @throws StatsError `STATS_DAMAGED`
 */
export function counted<T>(rows: T[], numbersOf: (row: T) => readonly number[]): T[] {
  const isCount = (n: number) => Number.isSafeInteger(n) && n >= 0;
  if (rows.every((row) => numbersOf(row).every(isCount))) return rows;
  throw statsErrorOf({ code: "SQLITE_CORRUPT" });
}

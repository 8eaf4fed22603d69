import type { Counters } from "../store.ts";
import { statsErrorOf } from "./handle.ts";

/**
 * The sum of a column of counts, in SQL; -1 where one of them cannot have been counted, which others could make up for: a
 * negative one, or half of one. A text would count as zero.
 */
export const SUM_OF_COUNTS = "CASE WHEN MIN(typeof(value) = 'integer' AND value >= 0) THEN SUM(value) ELSE -1 END";

/**
 * Passes on rows whose number is one that can have been counted. Another one was written by somebody else who has the
 * key: it is damage, and no sum that it is part of is told.
 *
 * @throws StatsError `STATS_DAMAGED`
 */
export function counted<T extends { readonly value: number }>(rows: T[]): T[] {
  if (rows.every(({ value }) => isCount(value))) return rows;
  throw notCounted();
}

/** Whether all of the numbers can have been counted. */
export function areCounted(counters: Counters): boolean {
  // Ten thousand keys have as many such objects: no list is made of each.
  for (const counter in counters) if (!isCount(counters[counter] as number)) return false;
  return true;
}

export function notCounted(): Error {
  return statsErrorOf({ code: "SQLITE_CORRUPT" });
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

import type { ServerStats } from "agent-stats";
import { countsBytes } from "./numbers.ts";

/** Counts by name, then bytes by name: two units in one list are read worse than two lists. */
export function byUnitAndName(a: string, b: string): number {
  return Number(countsBytes(a)) - Number(countsBytes(b)) || compare(a, b);
}

/** Users, their servers, and protocols; sums of deleted users last. */
export function byUserServerProtocol(a: ServerStats, b: ServerStats): number {
  const deleted = Number(a.userId === "") - Number(b.userId === "");
  return deleted || compare(a.userId, b.userId) || compare(a.server, b.server) || compare(a.protocol, b.protocol);
}

const DIGITS = /^\d+$/;

/** User 2 before user 10; all else by code units, so the same on every machine. */
function compare(a: string, b: string): number {
  if (DIGITS.test(a) && DIGITS.test(b) && a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

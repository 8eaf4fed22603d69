import type { StatsError, StatsErrorCode } from "agent-stats";

/** The codes that a ledger can tell, by their place here. */
export const PROBLEMS: readonly StatsErrorCode[] = [
  "STATS_STORE_FAILED",
  "STATS_BUSY",
  "STATS_DISK_FULL",
  "STATS_DAMAGED",
  "STATS_KEY_REJECTED",
  "STATS_MOVED",
  "STATS_READ_ONLY",
];

export function codeNumber({ code }: StatsError): number {
  return PROBLEMS.indexOf(code);
}

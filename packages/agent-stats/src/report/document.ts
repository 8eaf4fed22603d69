import type { Unit } from "../record/protocol.ts";
import type { Numbers } from "../summarise/numbers.ts";
import type { Session } from "../summarise/sessions.ts";

/** A time in a report: to the hour, UTC, e.g. `2026-06-19T14:00Z`. */
export type ReportHour = string;

/**
 * What a report says: the whole of its JSON. It names no user, and no server but well-known public ones. Fields may be
 * added within a version; a reader ignores what it does not know.
 */
export interface ReportDocument {
  readonly format: "agent-stats-report";
  readonly version: 1;
  readonly made: ReportHour;
  /** Reports of one case bear the same pseudonyms. Null: this report correlates with no other. */
  readonly case: string | null;
  /** The same in all reports of one case that bear the same pseudonyms: other people may call a case the same. */
  readonly caseMark: string | null;
  /** True where counts are rounded to one digit that counts. */
  readonly coarse: boolean;
  readonly trackedSince: ReportHour | null;
  readonly lastSaved: ReportHour | null;
  /** What the counters mean: by protocol, then by counter. */
  readonly counters: Readonly<Record<string, Readonly<Record<string, CounterMeaning>>>>;
  readonly sessions: readonly ReportSession[];
  readonly servers: readonly ReportServer[];
  /** What was counted hour by hour, oldest first. */
  readonly timeline: readonly ReportPeriod[];
  /** What was counted while a problem was reproduced; null where nothing was bracketed. */
  readonly recorded: ReportRecording | null;
}

export interface CounterMeaning {
  readonly help: string;
  readonly unit: Unit;
  readonly error: boolean;
  readonly attemptsOf: string | null;
}

export interface ReportSession extends Pick<Session, "how" | "canHaveLostMs"> {
  readonly started: ReportHour;
  readonly lastSaved: ReportHour;
  readonly ended: ReportHour | null;
}

/** Whose numbers: user 1, 2, 3 … in random order, at one server. Both are null for sums of deleted users. */
export interface ReportKeyed {
  readonly protocol: string;
  readonly user: number | null;
  /** A pseudonym, `srv-` and eight letters or digits; or the address of a well-known public server. */
  readonly server: string | null;
}

export interface ReportServer extends ReportKeyed {
  readonly trackedSince: ReportHour | null;
  readonly past: Numbers;
  readonly session: Numbers;
  readonly overall: Numbers;
}

export interface ReportPeriod extends ReportKeyed {
  readonly start: ReportHour;
  readonly counters: Numbers;
}

export interface ReportRecording {
  readonly started: ReportHour;
  /** How long it was recorded, in whole seconds. */
  readonly seconds: number;
  readonly servers: readonly (ReportKeyed & { readonly counters: Numbers })[];
}

/** The words that stand in every report, as names of fields or as values of a fixed set. */
export const FIXED_WORDS: readonly string[] = [
  ...["format", "agent-stats-report", "version", "made", "case", "caseMark", "coarse", "trackedSince", "lastSaved"],
  ...["counters", "sessions", "servers", "timeline", "recorded", "help", "unit", "error", "attemptsOf"],
  ...["started", "ended", "how", "canHaveLostMs", "protocol", "user", "server", "past", "session", "overall"],
  ...["start", "seconds", "count", "bytes", "ms"],
  ...["running", "close", "exit", "exception", "rejection", "SIGTERM", "SIGINT", "SIGHUP", "clock", "agent", "killed"],
];

/** The bytes of a report: a line for each field, and for each server, session and period. */
export function serialise(document: ReportDocument): string {
  const lines = Object.entries(document).map(([name, value]) => `  ${JSON.stringify(name)}: ${valueText(value)}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}

function valueText(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return JSON.stringify(value);
  return `[\n${value.map((each) => `    ${JSON.stringify(each)}`).join(",\n")}\n  ]`;
}

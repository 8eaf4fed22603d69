import { assertGiven } from "../record/given.ts";
import { StatsError } from "../store/errors.ts";
import type { Numbers } from "../summarise/numbers.ts";
import type { ReportDocument, ReportKeyed, ReportServer } from "./document.ts";
import { jsonInPage } from "./html.ts";

const VERSION = 1;

/**
 * Reads a report that somebody sent: its JSON, or the page that embeds it. What is inside is believed to be numbers and
 * names only where it is.
 *
 * @throws StatsError `STATS_REPORT_UNREADABLE` when it is none, is cut off, or comes from a later version
 * @throws TypeError when it is no text
 */
export function parseReport(text: string): ReportDocument {
  assertGiven(typeof text === "string", "a report is read from its text");
  const unreadable = (sentence: string) => new StatsError("STATS_REPORT_UNREADABLE", sentence);
  let value: unknown;
  try {
    value = JSON.parse(jsonInPage(text) ?? text);
  } catch {
    throw unreadable("This is no report, or not the whole of one: ask for the file again.");
  }
  if (!isRecord(value) || value.format !== "agent-stats-report") {
    throw unreadable("This file is no report of agent-stats: name the .json or .html file that it saved.");
  }
  if (value.version !== VERSION) {
    throw unreadable("This report was made by a later version of agent-stats: update, then read it again.");
  }
  if (!isReport(value)) throw unreadable("This report is incomplete: ask for the file again.");
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isReport(value: Record<string, unknown>): value is Record<string, unknown> & ReportDocument {
  const { servers, sessions, timeline, counters, made, caseMark } = value;
  const lists = [servers, sessions, timeline].every((list) => Array.isArray(list) && list.every(isRecord));
  const words = isHour(made) && (caseMark === undefined || caseMark === null || typeof caseMark === "string");
  return lists && words && isRecord(counters) && (servers as unknown[]).every(isServer);
}

/** Shown on terminals as it is. */
function isHour(value: unknown): boolean {
  return typeof value === "string" && /^\d{4}-\d{2}-\d{2}T\d{2}:00Z$/.test(value);
}

function isServer(value: unknown): value is ReportServer {
  return (
    isRecord(value) &&
    typeof value.protocol === "string" &&
    (value.user === null || typeof value.user === "number") &&
    (value.server === null || typeof value.server === "string") &&
    [value.past, value.session, value.overall].every(isNumbers)
  );
}

function isNumbers(value: unknown): value is Numbers {
  return isRecord(value) && Object.values(value).every((count) => Number.isFinite(count));
}

/** How a counter stood in two reports. */
export interface CounterChange {
  readonly counter: string;
  readonly before: number;
  readonly after: number;
}

/** A server of a report. Over all users: a user's number in one report may be another user's in the next. */
export type ReportedServer = Omit<ReportKeyed, "user">;

export interface ServerChange extends ReportedServer {
  /** Only counters that differ. */
  readonly changes: readonly CounterChange[];
}

/** What is different between two reports. */
export interface ReportDiff {
  /** Whether the same pseudonym means the same server in both: only in two reports of one case, of one database. */
  readonly correlates: boolean;
  /** Sums over all users and servers: comparable in any two reports. */
  readonly totals: readonly (Pick<ReportKeyed, "protocol"> & { readonly changes: readonly CounterChange[] })[];
  /** Of servers in both; where pseudonyms do not correlate, of well-known public ones only. */
  readonly servers: readonly ServerChange[];
  /** Servers that only one of the two has; empty where pseudonyms do not correlate. */
  readonly gone: readonly ReportedServer[];
  readonly come: readonly ReportedServer[];
  /** Sessions that began after the first report was made. */
  readonly newSessions: ReportDocument["sessions"];
}

/**
 * Compares two reports, the older one first: of one machine at two times, or of one case before and after.
 *
 * @throws TypeError when one of them is none
 */
export function diffReports(before: ReportDocument, after: ReportDocument): ReportDiff {
  const areReports = [before, after].every((given) => isRecord(given) && isReport(given));
  assertGiven(areReports, "reports are what parseReport reads, or what makeReport made");
  const correlates = typeof before.caseMark === "string" && before.caseMark === after.caseMark;
  const keyOf = ({ protocol, server }: ReportServer) => JSON.stringify([protocol, server]);
  const comparable = (server: ReportServer) =>
    correlates || (server.server !== null && !server.server.startsWith("srv-"));
  const [then, now] = [before, after].map(({ servers }) => sums(servers.filter(comparable), keyOf)) as [Sums, Sums];
  const keyed = (key: string): ReportedServer => {
    const [protocol, server] = JSON.parse(key) as [string, string | null];
    return { protocol, server };
  };
  const only = (these: Sums, others: Sums) => [...these.keys()].filter((key) => !others.has(key)).map(keyed);
  const totals = changed(
    sums(before.servers, ({ protocol }) => protocol),
    sums(after.servers, ({ protocol }) => protocol),
  );
  return {
    correlates,
    totals: totals.map(([protocol, changes]) => ({ protocol, changes })),
    servers: changed(then, now)
      .filter(([key]) => then.has(key) && now.has(key))
      .map(([key, changes]) => ({ ...keyed(key), changes })),
    gone: correlates ? only(then, now) : [],
    come: correlates ? only(now, then) : [],
    newSessions: newSessions(before, after),
  };
}

/** Both reports are to the hour: of the sessions that began in the hour of the first one, it tells some already. */
function newSessions(before: ReportDocument, after: ReportDocument): ReportDocument["sessions"] {
  const known = new Map<string, number>();
  for (const { started } of before.sessions) known.set(started, (known.get(started) ?? 0) + 1);
  return after.sessions.filter(({ started }) => {
    const left = known.get(started) ?? 0;
    known.set(started, left - 1);
    return started >= before.made && left <= 0;
  });
}

type Sums = ReadonlyMap<string, ReadonlyMap<string, number>>;

function sums(servers: readonly ReportServer[], name: (server: ReportServer) => string): Sums {
  const found = new Map<string, Map<string, number>>();
  for (const server of servers) {
    const sum = found.get(name(server)) ?? new Map<string, number>();
    found.set(name(server), sum);
    for (const [counter, value] of Object.entries(server.overall)) sum.set(counter, (sum.get(counter) ?? 0) + value);
  }
  return found;
}

function changed(before: Sums, after: Sums): [string, CounterChange[]][] {
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.flatMap((key): [string, CounterChange[]][] => {
    const [then, now] = [before.get(key), after.get(key)];
    const counters = [...new Set([...(then?.keys() ?? []), ...(now?.keys() ?? [])])].sort();
    const changes = counters
      .map((counter) => ({ counter, before: then?.get(counter) ?? 0, after: now?.get(counter) ?? 0 }))
      .filter((change) => change.before !== change.after);
    return changes.length > 0 ? [[key, changes]] : [];
  });
}

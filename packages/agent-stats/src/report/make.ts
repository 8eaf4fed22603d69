import { assertGiven, assertOptions, isDate, isIterable } from "../record/given.ts";
import type { Protocol } from "../record/protocol.ts";
import { isList, isRecord, isServersStats, isTimeline } from "../summarise/given.ts";
import type { Numbers } from "../summarise/numbers.ts";
import type { ServerStats, ServersStats } from "../summarise/servers-stats.ts";
import type { Session } from "../summarise/sessions.ts";
import type { TimelineEntry } from "../summarise/timeline.ts";
import { type CounterMeaning, type ReportDocument, type ReportKeyed, serialise } from "./document.ts";
import { type AllowedWords, assertNamesNobody } from "./gate.ts";
import { reportPage } from "./html.ts";
import { knownNames } from "./known-names.ts";
import { pseudonyms } from "./pseudonyms.ts";
import { PUBLIC_SERVERS } from "./public-servers.ts";

export interface ReportOptions {
  /** `await view.getServersStats()` */
  readonly stats: ServersStats;
  /** `await view.getTimeline()`, by hour. Default: none. */
  readonly timeline?: readonly TimelineEntry[];
  /** 32 bytes, from `newReportKey()`, and kept with `store.addReportKey`; or the key of the case's earlier report. */
  readonly key: Uint8Array;
  /** What the case is called, where reports are to correlate: at most 100 characters. Default: null. */
  readonly caseId?: string | null;
  /** What the counters mean. Of others only the names are told. */
  readonly protocols?: readonly Protocol[];
  /** Default: now. */
  readonly made?: Date;
  /** Rounds every count to one digit that counts. Default: false. */
  readonly coarse?: boolean;
  /** Addresses that stay readable; each is matched exactly. Default: `PUBLIC_SERVERS`. None: `[]`. */
  readonly publicServers?: Iterable<string>;
  /** Users who are left out, with all their numbers. Their names are searched for like any other. */
  readonly withoutUsers?: Iterable<string | number>;
  /** The statistics as they were when the reproduction of a problem began, and when it began and ended. */
  readonly recorded?: { readonly before: ServersStats; readonly started: Date; readonly stopped: Date } | null;
}

/** A report that names nobody, ready to be saved. */
export interface Report {
  readonly document: ReportDocument;
  /** The document's bytes, as text. */
  readonly json: string;
  /** A page that holds the same bytes and opens from a file, without a network. */
  readonly html: string;
  /** What was done to names, for whoever looks before sending. */
  readonly replaced: {
    readonly servers: number;
    readonly users: number;
    /** Servers that stay readable, because they are well-known. */
    readonly visible: readonly string[];
  };
}

const LONGEST_CASE = 100;
const HOUR_MS = 3_600_000;

/**
 * Makes a report: pseudonyms for servers, numbers for users, times to the hour; then searches its bytes for every name
 * that it knows.
 *
 * @throws StatsError `STATS_REPORT_LEAKS` where a name would stand in it, for instance in the name of the case
 * @throws TypeError when the key is not 32 bytes, the case's name is empty or too long, or something is not what was read
 */
export async function makeReport(options: ReportOptions): Promise<Report> {
  assertReportOptions(options);
  const { recorded = null, timeline = [], stats } = options;
  const known = knownNames([...stats.servers, ...timeline, ...(recorded?.before.servers ?? [])]);
  const told = withoutHidden(options);
  const names = await namesFor(told);
  const document = documentOf(told, names);
  const json = serialise(document);
  // Also for those who are left out.
  assertNamesNobody(json, known, allowedWords(told, document, names));
  const { visible, servers, users } = names;
  return {
    document,
    json,
    html: await reportPage(json),
    replaced: { servers: servers.size - visible.length, users: users.size, visible },
  };
}

/** Programs in JavaScript have nobody else who tells them. */
function assertReportOptions(options: ReportOptions): void {
  assertOptions(options);
  const { caseId = null, recorded = null, timeline = [], stats, protocols = [], made = new Date() } = options;
  const isCase = caseId === null || (typeof caseId === "string" && caseId !== "" && caseId.length <= LONGEST_CASE);
  assertGiven(isCase, `a case's name has 1 to ${LONGEST_CASE} characters`);
  assertGiven(isServersStats(stats), "stats must be what getServersStats tells");
  assertGiven(isTimeline(timeline), "timeline must be what getTimeline tells");
  assertGiven(isList(protocols, "counters"), "protocols must be made by defineProtocol");
  assertGiven(isDate(made), "made must be a date");
  for (const names of [options.publicServers ?? [], options.withoutUsers ?? []]) {
    assertGiven(isIterable(names), "publicServers and withoutUsers must be lists of names");
  }
  const isRecorded =
    recorded === null ||
    (isRecord(recorded) && isServersStats(recorded.before) && isDate(recorded.started) && isDate(recorded.stopped));
  assertGiven(isRecorded, "recorded must be what was told before, and two dates");
}

/** As if they had never been there: not even a protocol that only they use is told. */
function withoutHidden({ withoutUsers, ...options }: ReportOptions): ReportOptions {
  const hidden = new Set([...(withoutUsers ?? [])].map(String));
  if (hidden.size === 0) return options;
  const rowsOf = <T extends Key>(rows: readonly T[]) => rows.filter(({ userId }) => !hidden.has(userId));
  const statsOf = (stats: ServersStats) => ({ ...stats, servers: rowsOf(stats.servers) });
  const { stats, timeline = [], recorded = null } = options;
  return {
    ...options,
    stats: statsOf(stats),
    timeline: rowsOf(timeline),
    recorded: recorded && { ...recorded, before: statsOf(recorded.before) },
  };
}

interface Names {
  readonly servers: ReadonlyMap<string, string>;
  readonly users: ReadonlyMap<string, number>;
  readonly visible: readonly string[];
  readonly mark: string | null;
}

async function namesFor(options: ReportOptions): Promise<Names> {
  const { key, publicServers, stats, timeline = [], recorded = null, caseId = null } = options;
  const known = knownNames([...stats.servers, ...timeline, ...(recorded?.before.servers ?? [])]);
  const made = await pseudonyms(key);
  const open = new Set(publicServers ?? PUBLIC_SERVERS);
  const shown = async (server: string) => (open.has(server) ? server : await made.server(server));
  const servers = await Promise.all([...known.servers].map(async (server) => [server, await shown(server)] as const));
  const users = await made.shuffled(known.users);
  return {
    servers: new Map(servers),
    users: new Map(users.map((user, index) => [user, index + 1])),
    visible: [...known.servers].filter((server) => open.has(server)).sort(),
    mark: caseId === null ? null : await made.mark(),
  };
}

function documentOf(options: ReportOptions, names: Names): ReportDocument {
  const { stats, timeline = [], caseId = null, made = new Date(), coarse = false, recorded = null } = options;
  const counts = coarse ? rounded : (numbers: Numbers) => numbers;
  const keyed = <T extends ReportKeyed>(rows: readonly Key[], more: (row: Key) => Omit<T, keyof ReportKeyed>): T[] =>
    rows.map((row) => {
      const user = names.users.get(row.userId) ?? null;
      const server = names.servers.get(row.server) ?? null;
      return { protocol: row.protocol, user, server, ...more(row) } as T;
    });
  return {
    format: "agent-stats-report",
    version: 1,
    made: toHour(made),
    case: caseId,
    caseMark: names.mark,
    coarse,
    trackedSince: stats.trackedSince.getTime() === 0 ? null : toHour(stats.trackedSince),
    lastSaved: stats.lastSaved && toHour(stats.lastSaved),
    counters: meanings(options),
    sessions: stats.sessions.map(sessionOf),
    servers: keyed<ReportDocument["servers"][number]>(stats.servers, (row) => {
      const { trackedSince, past, session, overall } = row as ServerStats;
      const since = trackedSince && toHour(trackedSince);
      return { trackedSince: since, past: counts(past), session: counts(session), overall: counts(overall) };
    }).sort(byKey),
    timeline: keyed<ReportDocument["timeline"][number]>(timeline, (row) => {
      const { start, counters } = row as TimelineEntry;
      return { start: toHour(start), counters: counts(counters) };
    }).sort((a, b) => compare(a.start, b.start) || byKey(a, b)),
    recorded: recorded && {
      started: toHour(recorded.started),
      seconds: Math.max(0, Math.round((recorded.stopped.getTime() - recorded.started.getTime()) / 1000)),
      servers: keyed<NonNullable<ReportDocument["recorded"]>["servers"][number]>(
        grownSince(recorded.before, stats),
        (row) => ({ counters: counts((row as Grown).counters) }),
      ).sort(byKey),
    },
  };
}

interface Key {
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
}

interface Grown extends Key {
  readonly counters: Numbers;
}

/** What every key counted since a moment; keys that counted nothing are left out. */
function grownSince(before: ServersStats, { servers }: ServersStats): Grown[] {
  const nameOf = ({ protocol, userId, server }: Key) => JSON.stringify([protocol, userId, server]);
  const then = new Map(before.servers.map((server) => [nameOf(server), new Map(Object.entries(server.overall))]));
  return servers.flatMap((server) => {
    const old = then.get(nameOf(server));
    const grown = Object.entries(server.overall).map(([name, value]) => [name, value - (old?.get(name) ?? 0)] as const);
    const counters = Object.fromEntries(grown.filter(([, by]) => by > 0));
    const { protocol, userId } = server;
    return Object.keys(counters).length > 0 ? [{ protocol, userId, server: server.server, counters }] : [];
  });
}

function meanings({ stats, protocols = [] }: ReportOptions): ReportDocument["counters"] {
  const used = new Set(stats.servers.map(({ protocol }) => protocol));
  return Object.fromEntries(
    protocols
      .filter(({ name }) => used.has(name))
      .map(({ name, counters }) => [name, Object.fromEntries(counters.map((counter) => meaning(counter)))]),
  );
}

function meaning({ name, help, unit, error, attemptsOf }: Protocol["counters"][number]): [string, CounterMeaning] {
  return [name, { help, unit, error, attemptsOf }];
}

function sessionOf({ started, lastSaved, ended, how, canHaveLostMs }: Session) {
  return { started: toHour(started), lastSaved: toHour(lastSaved), ended: ended && toHour(ended), how, canHaveLostMs };
}

function toHour(date: Date): string {
  const hour = new Date(Math.floor(date.getTime() / HOUR_MS) * HOUR_MS);
  return `${hour.toISOString().slice(0, 16)}Z`;
}

/** To one digit that counts; what happened at all never becomes nothing. */
function rounded(numbers: Numbers): Numbers {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value.toPrecision(1))]));
}

/** An order that tells nothing about the names behind it. */
function byKey(a: ReportKeyed, b: ReportKeyed): number {
  const user = (a.user ?? 0) - (b.user ?? 0);
  return user || compare(a.server ?? "", b.server ?? "") || compare(a.protocol, b.protocol);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Told by what went in, not by what came out: so a name that slipped through is none of them. */
function allowedWords(
  options: ReportOptions,
  document: ReportDocument,
  { servers, visible, mark }: Names,
): AllowedWords {
  const { stats, timeline = [], protocols = [], recorded } = options;
  const counted = [...stats.servers, ...(recorded?.before.servers ?? [])];
  const rows = [...counted.map(({ protocol, overall }) => ({ protocol, counters: overall })), ...timeline];
  const past = counted.flatMap(({ past, session }) => [past, session]);
  const counters = [...rows.map(({ counters }) => counters), ...past].flatMap(Object.keys);
  const defined = protocols.flatMap(({ name, counters }) => [name, ...counters.map((counter) => counter.name)]);
  const shown = new Set(visible);
  return {
    identifiers: new Set([...rows.map(({ protocol }) => protocol), ...counters, ...defined]),
    texts: [
      ...protocols.flatMap(({ counters }) => counters.map(({ help }) => help)),
      ...[...servers].filter(([server]) => !shown.has(server)).map(([, pseudonym]) => pseudonym),
      ...document.sessions.map(({ how }) => how),
      ...(mark === null ? [] : [mark]),
    ],
    publicServers: visible,
  };
}

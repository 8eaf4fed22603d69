import type { Numbers } from "../../summarise/numbers.ts";
import type { ServerStats, ServersStats } from "../../summarise/servers-stats.ts";
import type { SessionWithCounts } from "../../summarise/sessions.ts";
import type { TimelineEntry } from "../../summarise/timeline.ts";
import { added, type Figures, type Meter } from "./figures.ts";

/** Everything that the screens show. What is still being read is null. */
export interface Data {
  readonly stats: ServersStats;
  readonly sessions: readonly SessionWithCounts[] | null;
  readonly timeline: readonly TimelineEntry[] | null;
  /** When it was read, ms since 1970. */
  readonly readAt: number;
}

export const RANGES = { session: "This session", day: "24 h", week: "7 d", month: "30 d", all: "All" } as const;
export type Range = keyof typeof RANGES;
/** The same within a sentence, or beside a heading. */
export const RANGE_WORDS: Readonly<Record<Range, string>> = {
  session: "this session",
  day: "last 24 hours",
  week: "last 7 days",
  month: "last 30 days",
  all: "all time",
};

export interface Filter {
  /** Null: all profiles that are not hidden. */
  readonly userId: string | null;
  readonly protocol: string | null;
  readonly range: Range;
  readonly showHidden: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS: Readonly<Partial<Record<Range, number>>> = { day: 1, week: 7, month: 30 };

/** When a range begins, to the hour; null for those that are told by sessions and not by time. */
function beginOf(range: Range, now: number): number | null {
  const days = DAYS[range];
  return days === undefined ? null : Math.floor((now - days * DAY_MS) / HOUR_MS + 1) * HOUR_MS;
}

type Key = Pick<ServerStats, "protocol" | "userId" | "server">;

/** Whether a key is among those that the filter asks for. */
export function matches({ userId, protocol, showHidden }: Filter, hidden: ReadonlySet<string>): (key: Key) => boolean {
  return (key) =>
    (protocol === null || key.protocol === protocol) &&
    (userId === null ? showHidden || !hidden.has(key.userId) : key.userId === userId);
}

/** Whose users are shown at all: hidden ones only when somebody asks for them. */
export function isShown({ showHidden }: Filter, hidden: ReadonlySet<string>): (of: Pick<Key, "userId">) => boolean {
  return ({ userId }) => showHidden || !hidden.has(userId);
}

/** One server of one protocol, with the numbers of all profiles asked for. */
export interface ServerRow {
  readonly id: string;
  readonly protocol: string;
  readonly server: string;
  readonly keys: readonly ServerStats[];
  /** In the range. */
  readonly numbers: Numbers;
  readonly figures: Figures;
}

export function rowId({ protocol, server }: Pick<Key, "protocol" | "server">): string {
  return JSON.stringify([protocol, server]);
}

export function rowsOf(
  { stats, timeline }: Data,
  filter: Filter,
  hidden: ReadonlySet<string>,
  meter: Meter,
  now: number,
): ServerRow[] {
  const asked = matches(filter, hidden);
  const grouped = new Map<string, ServerStats[]>();
  for (const key of stats.servers.filter(asked)) grouped.set(rowId(key), [...(grouped.get(rowId(key)) ?? []), key]);
  const begin = beginOf(filter.range, now);
  const inRange = begin === null ? null : periodsOf(timeline ?? [], begin, asked);
  const unknown = filter.range === "session" ? !hasSession(stats) : begin !== null && timeline === null;
  return [...grouped].map(([id, keys]) => {
    const [first] = keys as [ServerStats, ...ServerStats[]];
    const part = filter.range === "session" ? "session" : "overall";
    const numbers = inRange ? added(inRange.get(id) ?? []) : added(keys.map((key) => key[part]));
    const figures = unknown ? NOT_RECORDED : meter.figures(first.protocol, numbers);
    return { id, protocol: first.protocol, server: first.server, keys, numbers, figures };
  });
}

const NOT_RECORDED: Figures = { sent: null, received: null, failed: null, rates: [] };

/** Whether there is a session to speak of: one that runs, or one whose counts no later start has added to the past. */
export function hasSession({ sessions, servers }: ServersStats): boolean {
  const counts = (server: ServerStats) => Object.values(server.session).some((value) => value !== 0);
  return sessions.some(({ how }) => how === "running") || servers.some(counts);
}

function periodsOf(timeline: readonly TimelineEntry[], begin: number, asked: (key: Key) => boolean) {
  const found = new Map<string, Numbers[]>();
  for (const entry of timeline) {
    if (entry.start.getTime() < begin || !asked(entry)) continue;
    const id = rowId(entry);
    const numbers = found.get(id);
    if (numbers) numbers.push(entry.counters);
    else found.set(id, [entry.counters]);
  }
  return found;
}

/** One period of a chart: what was sent, received, and failed in it. */
export interface Point {
  readonly start: number;
  readonly stepMs: number;
  readonly sent: number | null;
  readonly received: number | null;
  readonly failed: number | null;
}

/** At most so many periods fit into a chart that is still read. */
const MOST_POINTS = 100;

/**
 * What was counted period by period, oldest first. Before tracking began nothing is known; after it, a period without
 * counts is zero.
 */
export function pointsOf(
  { stats, timeline, sessions }: Data,
  range: Range,
  asked: (key: Key) => boolean,
  meter: Meter,
  now: number,
): Point[] {
  const entries = (timeline ?? []).filter(asked);
  const tracked = stats.trackedSince.getTime();
  const oldest = entries[0]?.start.getTime() ?? now;
  const running = sessions?.findLast(({ how }) => how === "running") ?? sessions?.at(-1);
  const begin = beginOf(range, now) ?? (range === "session" ? (running?.started.getTime() ?? oldest) : oldest);
  const hours = (now - begin) / HOUR_MS;
  const stepMs = hours <= MOST_POINTS ? HOUR_MS : hours <= MOST_POINTS * 6 ? 6 * HOUR_MS : DAY_MS;
  const first = startOf(begin, stepMs);
  const count = Math.max(1, Math.round((startOf(now, stepMs) - first) / stepMs) + 1);
  const buckets = Array.from({ length: count }, () => new Map<string, Numbers[]>());
  for (const { start, protocol, counters } of entries) {
    const bucket = buckets[Math.round((startOf(start.getTime(), stepMs) - first) / stepMs)];
    if (start.getTime() < first || !bucket) continue;
    const numbers = bucket.get(protocol);
    if (numbers) numbers.push(counters);
    else bucket.set(protocol, [counters]);
  }
  const none = meterZero(stats.servers.filter(asked), meter);
  return buckets.map((bucket, index) => {
    const start = first + index * stepMs;
    if (start + stepMs <= tracked) return { start, stepMs, sent: null, received: null, failed: null };
    const figures = [...bucket].map(([protocol, numbers]) => meter.figures(protocol, added(numbers)));
    const sum = (pick: (figures: Figures) => number | null, zero: number | null) =>
      zero === null ? null : figures.reduce((total, each) => total + (pick(each) ?? 0), 0);
    return {
      start,
      stepMs,
      sent: sum(({ sent }) => sent, none.sent),
      received: sum(({ received }) => received, none.received),
      failed: sum(({ failed }) => failed, none.failed),
    };
  });
}

/** Days begin at this machine's midnight, also where the clock is put forward or back. */
function startOf(ms: number, stepMs: number): number {
  if (stepMs < DAY_MS) return Math.floor(ms / stepMs) * stepMs;
  const day = new Date(ms);
  return Date.UTC(day.getFullYear(), day.getMonth(), day.getDate()) + day.getTimezoneOffset() * 60_000;
}

/** Which figures these keys have at all. */
function meterZero(keys: readonly Key[], meter: Meter) {
  const figures = [...new Set(keys.map(({ protocol }) => protocol))].map((protocol) => meter.figures(protocol, {}));
  const known = (pick: (figures: Figures) => number | null) => (figures.some((each) => pick(each) !== null) ? 0 : null);
  return {
    sent: known(({ sent }) => sent),
    received: known(({ received }) => received),
    failed: known(({ failed }) => failed),
  };
}

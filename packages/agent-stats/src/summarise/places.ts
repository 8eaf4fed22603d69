import { type Numbers, Tally } from "./numbers.ts";
import type { ServersStats } from "./servers-stats.ts";
import type { TimelineEntry } from "./timeline.ts";

/** What was counted at one place in one period. */
export interface Period {
  /** When it began, ms since 1970; not before this place was tracked. */
  readonly at: number;
  readonly users: ReadonlyMap<string, Numbers>;
  /** All users together. */
  readonly sum: Numbers;
}

/** One server in one protocol, whoever uses it. */
export interface Place {
  readonly protocol: string;
  readonly server: string;
  /** Oldest first. */
  readonly periods: readonly Period[];
  /** True where the first period stands for everything before history begins: nobody knows when in it. */
  readonly beginsBeforeHistory: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Brings sums and history together, so that every number is looked at once: what the sums hold more than the timeline
 * does was counted before history begins or, where there is nothing before, is not saved yet.
 */
export function placesOf(stats: ServersStats, timeline: readonly TimelineEntry[], now: Date): Place[] {
  const places = new Map<string, Map<number, Map<string, Tally>>>();
  const tally = (protocol: string, server: string, at: number, userId: string) => {
    const periods = within(places, JSON.stringify([protocol, server]), () => new Map<number, Map<string, Tally>>());
    const users = within(periods, at, () => new Map<string, Tally>());
    return within(users, userId, () => new Tally());
  };
  const dated = new Map<string, { readonly counted: Tally; readonly first: number }>();
  for (const { start, protocol, server, userId, counters } of timeline) {
    tally(protocol, server, start.getTime(), userId).addAll(counters);
    const key = JSON.stringify([protocol, userId, server]);
    within(dated, key, () => ({ counted: new Tally(), first: start.getTime() })).counted.addAll(counters);
  }
  const earlier = new Set<string>();
  const trackedFrom = new Map<string, number>();
  for (const { protocol, server, userId, overall, trackedSince } of stats.servers) {
    const place = JSON.stringify([protocol, server]);
    // A key that was never saved is tracked since some time in this session; what is sure is that of everything.
    const from = (trackedSince ?? stats.trackedSince).getTime();
    trackedFrom.set(place, Math.min(from, trackedFrom.get(place) ?? from));
    const history = dated.get(JSON.stringify([protocol, userId, server]));
    const rest = leftOver(overall, history?.counted.numbers() ?? {});
    if (rest === null) continue;
    const since = hourOf((trackedSince ?? now).getTime());
    const isEarlier = trackedSince !== null && since < (history?.first ?? Number.POSITIVE_INFINITY);
    if (isEarlier) earlier.add(place);
    tally(protocol, server, isEarlier ? since : hourOf(now.getTime()), userId).addAll(rest);
  }
  return [...places].map(([name, tallies]) => {
    const [protocol, server] = JSON.parse(name) as [string, string];
    const sorted = [...tallies].sort(([a], [b]) => a - b);
    const from = trackedFrom.get(name) ?? Number.NEGATIVE_INFINITY;
    const periods = sorted.map(([at, users]) => periodOf(notBefore(from, at), users));
    return { protocol, server, periods, beginsBeforeHistory: earlier.has(name) };
  });
}

/**
 * Tracking begins within an hour or, where the timeline was read by day, a day: what was counted in it was counted after
 * that. History from long before that was kept under a clock that was wrong, nobody knows which.
 */
function notBefore(from: number, at: number): number {
  return from - at < DAY_MS ? Math.max(at, from) : at;
}

function periodOf(at: number, tallies: ReadonlyMap<string, Tally>): Period {
  const users = new Map([...tallies].map(([userId, counted]) => [userId, counted.numbers()]));
  const sum = new Tally();
  for (const numbers of users.values()) sum.addAll(numbers);
  return { at, users, sum: sum.numbers() };
}

/** What is in the one and not in the other; null where nothing is. */
function leftOver(all: Numbers, known: Numbers): Numbers | null {
  const rest = new Tally().addAll(all);
  for (const [counter, value] of Object.entries(known)) rest.add(counter, -value);
  // A counter that history holds more of was reset meanwhile.
  const numbers = Object.entries(rest.numbers()).filter(([, value]) => value > 0);
  return numbers.length === 0 ? null : Object.fromEntries(numbers);
}

function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

function within<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

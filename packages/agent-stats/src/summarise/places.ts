import { KeyIds } from "./key-ids.ts";
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
  const [keyIds, placeIds] = [new KeyIds(), new KeyIds()];
  const drafts = new Map<number, Draft>();
  const draftOf = ({ protocol, server }: Pick<TimelineEntry, "protocol" | "server">) =>
    within(drafts, placeIds.of({ protocol, userId: "", server }), () => ({
      ...{ protocol, server, periods: new Map(), trackedFrom: Number.POSITIVE_INFINITY, beginsBeforeHistory: false },
    }));
  const dated = new Map<number, { readonly counted: Tally; readonly first: number }>();
  for (const entry of timeline) {
    const at = entry.start.getTime();
    put(draftOf(entry), at, entry.userId, entry.counters);
    within(dated, keyIds.of(entry), () => ({ counted: new Tally(), first: at })).counted.addAll(entry.counters);
  }
  for (const key of stats.servers) {
    const draft = draftOf(key);
    // A key that was never saved is tracked since some time in this session; what is sure is that of everything.
    draft.trackedFrom = Math.min(draft.trackedFrom, (key.trackedSince ?? stats.trackedSince).getTime());
    const history = dated.get(keyIds.of(key));
    const rest = leftOver(key.overall, history?.counted.numbers() ?? {});
    if (rest === null) continue;
    const since = hourOf((key.trackedSince ?? now).getTime());
    const isEarlier = key.trackedSince !== null && since < (history?.first ?? Number.POSITIVE_INFINITY);
    if (isEarlier) draft.beginsBeforeHistory = true;
    put(draft, isEarlier ? since : hourOf(now.getTime()), key.userId, rest);
  }
  return [...drafts.values()].flatMap(({ periods, trackedFrom, ...place }) => {
    if (periods.size === 0) return [];
    const sorted = [...periods].sort(([a], [b]) => a - b);
    return [{ ...place, periods: sorted.map(([at, users]) => periodOf(notBefore(trackedFrom, at), users)) }];
  });
}

/** A place while its periods are gathered. */
interface Draft extends Pick<Place, "protocol" | "server"> {
  readonly periods: Map<number, Map<string, Numbers>>;
  trackedFrom: number;
  beginsBeforeHistory: boolean;
}

function put({ periods }: Draft, at: number, userId: string, counters: Numbers): void {
  const users = within(periods, at, () => new Map<string, Numbers>());
  const known = users.get(userId);
  users.set(userId, known === undefined ? counters : new Tally().addAll(known).addAll(counters).numbers());
}

/**
 * Tracking begins within an hour or, where the timeline was read by day, a day: what was counted in it was counted after
 * that. History from long before that was kept under a clock that was wrong, nobody knows which.
 */
function notBefore(from: number, at: number): number {
  return from - at < DAY_MS ? Math.max(at, from) : at;
}

function periodOf(at: number, users: ReadonlyMap<string, Numbers>): Period {
  const [first = {}] = users.values();
  if (users.size === 1) return { at, users, sum: first };
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

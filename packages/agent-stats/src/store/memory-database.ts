import type { AuditRow, Clear, CountedRow, Counters, KeyRow, ReportKey, SessionRow } from "./store.ts";

/** Stands for all hours that are no longer told apart. */
export const NO_HOUR = -1;

export type Key = KeyRow;
export type Counts = Map<string, number>;

interface MemorySession {
  row: SessionRow;
  saves: number;
  seen: number;
  agent: string | null;
  owner: object | null;
  readonly hours: Map<number, Map<Key, Counts>>;
}

/** The database behind memory stores: stores over the same one behave like processes on the same file. */
export class MemoryDatabase {
  trackedSince: number | null = null;
  lastSession = 0;
  lastClear = 0;
  readonly keys = new Map<string, Key>();
  readonly sessions = new Map<number, MemorySession>();
  readonly past = new Map<Key, Counts>();
  /** `told`: every session that may write has heard of it; it is kept for those that are taken for dead. */
  clears: (Clear & { told?: boolean })[] = [];
  audit: AuditRow[] = [];
  readonly reportKeys: ReportKey[] = [];
}

export function countedRows({ protocol, userId, server }: Key, counts: Counts): CountedRow[] {
  return [...counts].map(([counter, value]) => ({ protocol, userId, server, counter, value }));
}

/** As the port has them. */
export function countersOf(counts: Counts | undefined): Counters {
  return Object.fromEntries([...(counts ?? [])].filter(([, value]) => value !== 0));
}

export function nameOf({ protocol, userId, server }: Key): string {
  return JSON.stringify([protocol, userId, server]);
}

export function addCounts(to: Counts, from: Counts): void {
  for (const [counter, value] of from) {
    to.set(counter, Math.min((to.get(counter) ?? 0) + value, Number.MAX_SAFE_INTEGER));
  }
}

export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** The counts of that key, empty at first. */
export function countsOf(keys: Map<Key, Counts>, key: Key): Counts {
  return entry(keys, key, () => new Map());
}

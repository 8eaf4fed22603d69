import {
  addCounts,
  type Counts,
  countedRows,
  countersOf,
  countsOf,
  type Key,
  type MemoryDatabase,
  NO_HOUR,
} from "./memory-database.ts";
import type { CountedRow, HourRow, SessionSumRow } from "./store.ts";

export function sessionSums(db: MemoryDatabase): SessionSumRow[] {
  return [...db.sessions].flatMap(([session, { hours }]) => {
    const counted = new Map<Key, Counts>();
    for (const keys of hours.values()) {
      for (const [key, counts] of keys) addCounts(countsOf(counted, key), counts);
    }
    return [...counted].flatMap(([key, counts]) => countedRows(key, counts).map((row) => ({ session, ...row })));
  });
}

export function counted(db: MemoryDatabase, agent: string): CountedRow[] {
  const sums = sessionSums(db).filter(({ session }) => db.sessions.get(session)?.agent === agent);
  const counted = new Map<string, CountedRow>();
  for (const { session: _, ...row } of sums) {
    const name = JSON.stringify([row.protocol, row.userId, row.server, row.counter]);
    counted.set(name, { ...row, value: row.value + (counted.get(name)?.value ?? 0) });
  }
  return [...counted.values()];
}

export function hours(db: MemoryDatabase, from: number, to: number): HourRow[] {
  return [...db.sessions.values()].flatMap(({ hours }) =>
    [...hours]
      .filter(([hour]) => hour >= from && hour <= to && hour !== NO_HOUR)
      .flatMap(([hour, keys]) =>
        [...keys].map(([{ protocol, userId, server }, counts]) => {
          return { hour, protocol, userId, server, counters: countersOf(counts) };
        }),
      ),
  );
}

import type { Clearer, CountedRow, Counters, Ending, HourRow, SaveBatch, StatsStore, Sums } from "./store.ts";

export const HOUR = 500_000;
export const AT = HOUR * 3_600_000;
const ANNA = ["smp", "1", "smp://a.example"] as const;
const BELA = ["smp", "10", "smp://a.example"] as const;
const FILES = ["xftp", "1", "xftp://f.example"] as const;
const KEYS = [ANNA, BELA, FILES];
const COUNTERS = ["sent", "attempts"];

export async function begin(store: StatsStore) {
  return store.begin({ startedAt: AT, flushEveryMs: 5_000, seen: null });
}

export async function saved(store: StatsStore, knows = 0) {
  const begun = await begin(store);
  await store.save({ ...batch(begun.session, 1, { sent: [3, 5, 7] }), seen: Math.max(begun.seen, knows) });
  return begun;
}

export function by(session: number | null, seen: number): Clearer {
  return { session, seen, at: AT };
}

export function keys(rows: readonly number[]): SaveBatch["keys"] {
  return rows.map((row) => [row, ...(KEYS[row] as (typeof KEYS)[number])] as const);
}

/** Counts for Anna, Bela and Anna's files, in that order. */
export function batch(session: number, save: number, counts: Readonly<Record<string, readonly number[]>>): SaveBatch {
  const cells = Object.entries(counts).flatMap(([counter, values]) =>
    values.flatMap((value, row) => [row, COUNTERS.indexOf(counter), value]),
  );
  const rows = Object.keys(counts).length > 0 ? [0, 1, 2] : [];
  const cell = Float64Array.from(cells);
  return { session, save, seen: 0, at: AT, hour: HOUR, keys: keys(rows), counters: COUNTERS, cells: cell };
}

export async function endings(store: StatsStore): Promise<[number, Ending | null][]> {
  return (await store.sessions()).map(({ session, how }) => [session, how]);
}

/** Past and open of each counter, by key. */
export function numbers(sums: Sums, of: readonly ("past" | "open")[] = ["past", "open"]): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const counter of COUNTERS) {
    for (const row of eachSum(sums)) {
      if (row.counter !== counter) continue;
      const name = row.protocol === "xftp" ? "files" : row.userId;
      found[name] = [...(found[name] ?? []), ...of.map((part) => row[part])];
    }
  }
  return found;
}

/** One row for each counter of each key. */
export function eachSum({ keys }: Sums) {
  return keys.flatMap(({ past, open, trackedSince: _, ...key }) => {
    const of = (counters: Counters) => new Map(Object.entries(counters));
    return [...new Set([...of(past).keys(), ...of(open).keys()])].map((counter) => {
      return { ...key, counter, past: of(past).get(counter) ?? 0, open: of(open).get(counter) ?? 0 };
    });
  });
}

/** One row for each counter of each key and hour, whatever sessions counted it. */
export function eachHour(rows: readonly HourRow[]) {
  const sums = new Map<string, CountedRow & { readonly hour: number }>();
  for (const { counters, ...of } of rows) {
    for (const [counter, value] of Object.entries(counters)) {
      const name = JSON.stringify([of, counter]);
      sums.set(name, { ...of, counter, value: value + (sums.get(name)?.value ?? 0) });
    }
  }
  return [...sums.values()];
}

export function totals(sums: Sums): Record<string, number> {
  return summed(numbers(sums));
}

export function pasts(sums: Sums): Record<string, number> {
  return summed(numbers(sums, ["past"]));
}

function summed(found: Record<string, number[]>): Record<string, number> {
  return Object.fromEntries(Object.entries(found).map(([name, values]) => [name, values.reduce((a, b) => a + b, 0)]));
}

/** Compares as JSON, with the names of objects in order: no test library is needed where this runs. */
export function equal(actual: unknown, expected: unknown): void {
  const [a, b] = [canonical(actual), canonical(expected)];
  if (a !== b) throw new Error(`the store answered ${a}, the contract says ${b}`);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

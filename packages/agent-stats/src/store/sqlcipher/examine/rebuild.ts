import type { RecordValue } from "../pages/records.ts";
import type { Gathered, ReadTree } from "./gather.ts";
import type { NamedRow, TableName } from "./shapes.ts";

/** What is to be written, and how much of it is known. */
export interface Rebuilt {
  readonly tables: Readonly<Record<TableName, readonly NamedRow[]>>;
  /** Numbers whose user and server are lost, or that cannot be true. */
  readonly lostNumbers: number;
  /** Sessions of which only what they counted is left. */
  readonly lostSessions: number;
  /** True: every sum is what was saved. False: sums can only be too low. */
  readonly hasExactSums: boolean;
  /** The same of what was counted by hour. */
  readonly hasExactHistory: boolean;
}

const HOUR_MS = 3_600_000;
/** Stands for hours that are no longer told apart. */
const NO_HOUR = -1;

/**
 * Makes a consistent whole of what could be read. No number is ever more than what was saved: a sum of the past that is
 * lost becomes what the history proves of it, and a session that is lost counts as part of the past, where it may
 * already be.
 */
export function rebuild(gathered: Gathered): Rebuilt {
  const { trees } = gathered;
  const trackedSince = earliest(trees.meta, trees.key);
  const named = allKeys(gathered, trackedSince);
  const keys = withoutCleared(named, gathered.later);
  const isKnown = (row: NamedRow) => keys.has(row.key_id as number);
  const counts = unique(gathered, trees.count, "session_id", "hour", "key_id", "counter");
  const past = unique(gathered, trees.past, "key_id", "counter");
  const sessions = unique(gathered, trees.session, "session_id");
  const keptCounts = counts.filter(isKnown);
  const stubs = stubsFor(keptCounts, sessions);
  const lostNumbers = [...counts, ...past].filter(({ key_id: key }) => !named.has(key as number)).length;
  const open = new Set(sessions.filter(({ folded }) => folded === 0).map(({ session_id: id }) => id));
  const tables = {
    meta: metaRows(gathered, trackedSince),
    session: [...sessions, ...stubs],
    key: [...keys.values()],
    count: keptCounts,
    past: provenPast(
      past.filter(isKnown),
      keptCounts.filter(({ session_id: id }) => !open.has(id as number)),
    ),
    tombstone: unique(gathered, trees.tombstone, "tombstone_id"),
    audit: unique(gathered, trees.audit, "audit_id"),
    report: unique(gathered, trees.report, "report_id"),
  };
  const knowsKeys = (!trees.key.isPartial || !trees.keyIndex.isPartial) && lostNumbers === 0;
  const isWhole = knowsKeys && gathered.lostFrames === 0 && gathered.distrusted === 0;
  const knowsOpen = !trees.session.isPartial && (open.size === 0 || !trees.count.isPartial);
  return {
    tables,
    lostNumbers,
    lostSessions: stubs.length,
    hasExactSums: isWhole && !trees.past.isPartial && knowsOpen,
    hasExactHistory: isWhole && !trees.count.isPartial,
  };
}

/** Rows by their primary key. Two that differ can both not be believed. */
function unique(gathered: Gathered, { rows }: ReadTree, ...primary: readonly string[]): NamedRow[] {
  const found = new Map<string, NamedRow | null>();
  for (const row of rows) {
    const id = JSON.stringify(primary.map((name) => row[name]));
    const other = found.get(id);
    if (other === undefined) found.set(id, row);
    else if (JSON.stringify(other) !== JSON.stringify(row)) found.set(id, null);
  }
  const all = [...found.values()];
  gathered.distrusted += all.filter((row) => row === null).length;
  return all.filter((row) => row !== null);
}

/** Keys by their number. The index of keys names those whose row is lost; since when they are tracked, it does not. */
function allKeys(gathered: Gathered, trackedSince: number): Map<number, NamedRow> {
  const { key, keyIndex } = gathered.trees;
  const keys = new Map<number, NamedRow>();
  for (const row of unique(gathered, keyIndex, "key_id")) {
    keys.set(row.key_id as number, { ...row, tracked_since: trackedSince });
  }
  for (const row of unique(gathered, key, "key_id")) keys.set(row.key_id as number, row);
  return keys;
}

/**
 * What was deleted or reset by saves that cannot be read whole was deleted all the same: what they still tell of is
 * kept, and nothing else. Each name stands twice, so that one page that is lost costs none.
 */
function withoutCleared(keys: Map<number, NamedRow>, later: readonly ReadTree[]): Map<number, NamedRow> {
  if (later.length === 0) return keys;
  const told = later.map(({ rows }) => new Map(rows.map((row) => [row.key_id as number, row])));
  const isSame = (key: NamedRow, row: NamedRow) => Object.entries(row).every(([name, value]) => key[name] === value);
  const isThere = (id: number, key: NamedRow) => {
    const rows = told.map((byId) => byId.get(id));
    const isMissed = rows.some((row, i) => row === undefined && !later[i]?.isPartial);
    return !isMissed && rows.some((row) => row !== undefined) && rows.every((row) => !row || isSame(key, row));
  };
  return new Map([...keys].filter(([id, key]) => isThere(id, key)));
}

/** For sessions that are lost: what can be said of them, which is between which hours they counted. */
function stubsFor(counts: readonly NamedRow[], sessions: readonly NamedRow[]): NamedRow[] {
  const known = new Set(sessions.map(({ session_id: id }) => id));
  const hours = new Map<RecordValue, number[]>();
  for (const { session_id: id, hour } of counts) {
    if (!known.has(id as number)) hours.set(id as number, [...(hours.get(id as number) ?? []), hour as number]);
  }
  return [...hours].map(([id, all]) => {
    const told = all.filter((hour) => hour !== NO_HOUR);
    const at = (hour: number) => Math.max(0, hour) * HOUR_MS;
    return {
      session_id: id,
      started: at(told.reduce((a, b) => Math.min(a, b), told[0] ?? 0)),
      last_saved: at(told.reduce((a, b) => Math.max(a, b), 0)),
      ended: null,
      how: "killed",
      flush_every: 0,
      saves: 1,
      seen: 0,
      folded: 1,
      agent: null,
    };
  });
}

/** The past as it was read, and no less than what folded sessions are known to have counted. */
function provenPast(past: readonly NamedRow[], folded: readonly NamedRow[]): NamedRow[] {
  const idOf = ({ key_id: key, counter }: NamedRow) => JSON.stringify([key, counter]);
  const proven = new Map<string, number>();
  for (const row of folded) {
    proven.set(idOf(row), Math.min(Number.MAX_SAFE_INTEGER, (proven.get(idOf(row)) ?? 0) + (row.value as number)));
  }
  const rows = new Map(past.map((row) => [idOf(row), row]));
  for (const [id, value] of proven) {
    const [key, counter] = JSON.parse(id) as [number, string];
    const read = (rows.get(id)?.value as number | undefined) ?? 0;
    if (value > read) rows.set(id, { key_id: key, counter, value });
  }
  return [...rows.values()];
}

function metaRows({ trees }: Gathered, trackedSince: number): NamedRow[] {
  const kept = trees.meta.rows.filter(({ name }) => name === "salt");
  return [...kept, { name: "tracked_since", value: trackedSince }];
}

/** Since when is tracked; where that is lost, since the first thing that is known. */
function earliest(meta: ReadTree, key: ReadTree): number {
  const told = meta.rows.find(({ name }) => name === "tracked_since")?.value;
  if (typeof told === "number") return told;
  return key.rows.reduce((least, row) => Math.min(least, row.tracked_since as number), Date.now());
}

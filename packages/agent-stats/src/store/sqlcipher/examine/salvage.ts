import { StatsError } from "../../errors.ts";
import { SqliteCalls } from "../../sqlite/calls.ts";
import type { SessionLocks, SqliteHandle, SqlValue } from "../../sqlite/handle.ts";
import { immediately } from "../../sqlite/handle.ts";
import { assertKnownSchema } from "../../sqlite/schema.ts";
import { createFilled } from "../create.ts";
import { loadDriver } from "../drivers.ts";
import type { PageKeys } from "../pages/cipher.ts";
import { type FileBytes, keysThatFit, readFiles } from "../pages/image.ts";
import { areOfOneMoment } from "../pages/moment.ts";
import type { Salvaged } from "./findings.ts";
import { type Gathered, gather } from "./gather.ts";
import { type Rebuilt, rebuild } from "./rebuild.ts";
import type { NamedRow, TableName } from "./shapes.ts";
import { assertIsFile, type ExamineOptions, unreadable } from "./verify.ts";

export interface SalvageOptions extends ExamineOptions {
  readonly to: string;
}

/** Reads what authenticates into a new file. See `salvageFile`. */
export function salvage(options: SalvageOptions): Salvaged {
  assertIsFile(options.file);
  const files = readFiles(options.file);
  const keys = keysThatFit(files, options.keyLiteral);
  if (keys === null) throw unreadable(files);
  return salvageFrom(files, keys, options, null);
}

/** The same, but for the users who are to be forgotten. */
export function salvageFrom(
  files: FileBytes,
  keys: PageKeys,
  { to, keyLiteral, driver: name }: Omit<SalvageOptions, "file">,
  isForgotten: ((userId: string) => boolean) | null,
): Salvaged {
  const driver = loadDriver(name);
  const gathered = gather(withoutOtherMoments(files, keys), keys);
  assertKnownSchema(Number(gathered.trees.meta.rows.find(({ name }) => name === "schema_version")?.value ?? 0));
  if (isForgotten) forget(gathered, isForgotten);
  const rebuilt = rebuild(gathered);
  if (rebuilt.tables.key.length + rebuilt.tables.session.length === 0 && gathered.lostPages > 0) throw tooLittle();
  createFilled(driver, { file: to, keyLiteral }, (handle) => {
    assertSameTables(handle, gathered);
    immediately(handle, () => insertAll(handle, rebuilt));
    foldAll(handle);
  });
  return resultOf(gathered, rebuilt);
}

/** Laid over a file of another moment, a WAL makes numbers that never were: it is left out. */
function withoutOtherMoments(files: FileBytes, keys: PageKeys): FileBytes {
  if (areOfOneMoment(files, keys)) return files;
  const { wal } = files;
  const beyond = [...wal.committed, ...wal.beyond];
  return { ...files, wal: { ...wal, committed: [], beyond, isBeyondWhole: false, isBroken: true } };
}

/** Of a copy that nobody counts into, tombstones warn nobody: they would only name who was deleted. */
function forget({ trees }: Gathered, isForgotten: (userId: string) => boolean): void {
  for (const { rows } of [trees.key, trees.keyIndex]) {
    rows.splice(0, rows.length, ...rows.filter(({ user_id: userId }) => !isForgotten(String(userId))));
  }
  trees.tombstone.rows.splice(0);
}

function tooLittle(): StatsError {
  return new StatsError(
    "STATS_DAMAGED",
    "Too little of the file can be read to salvage any of it: it was not changed.",
  );
}

/** Without the note on its version, a file is only known by its tables: a later version's may mean something else. */
function assertSameTables(handle: SqliteHandle, { trees, definitions }: Gathered): void {
  if (trees.meta.rows.some(({ name }) => name === "schema_version")) return;
  const own = handle.prepare("SELECT sql FROM sqlite_schema WHERE name LIKE 'agent_stats%'").all([]) as {
    sql: string;
  }[];
  const known = own.map(({ sql }) => sql);
  if (definitions.length !== known.length || !definitions.every((sql) => known.includes(sql))) throw tooLittle();
}

/** In the order in which a row's others come first. */
const ORDER: readonly TableName[] = ["meta", "key", "session", "count", "past", "tombstone", "audit", "report"];

function insertAll(handle: SqliteHandle, { tables }: Rebuilt): void {
  for (const table of ORDER) for (const row of tables[table]) insert(handle, table, row);
  // Numbers that processes know from the damaged file must not mean something else in this one.
  for (const [table, id] of [
    ["session", "session_id"],
    ["tombstone", "tombstone_id"],
  ] as const) {
    const last = tables[table].reduce((most, row) => Math.max(most, row[id] as number), 0);
    handle.prepare("DELETE FROM sqlite_sequence WHERE name = ?").run([`agent_stats_${table}`]);
    handle
      .prepare("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)")
      .run([`agent_stats_${table}`, last + NUMBERS_LEFT]);
  }
}

/** More than anybody begins between the last page that can be read and the moment when the new file takes its place. */
const NUMBERS_LEFT = 1_000;

function insert(handle: SqliteHandle, table: TableName, row: NamedRow): void {
  const names = Object.keys(row);
  const sql = `INSERT OR REPLACE INTO agent_stats_${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`;
  handle.prepare(sql).run(Object.values(row) as SqlValue[]);
}

/** Whoever still counts into the damaged file goes on with a session of its own: all of these are over. */
function foldAll(handle: SqliteHandle): void {
  const locks: SessionLocks = { take: () => true, isHeld: () => false, remove: () => {}, removeAll: () => {} };
  const database = { handle, schema: "main", locks, ownFile: true, assertInPlace: () => {}, close: () => {} };
  new SqliteCalls(() => database).fold();
}

function resultOf(gathered: Gathered, { tables, ...rebuilt }: Rebuilt): Salvaged {
  const saved = tables.session.filter(({ saves }) => Number(saves) > 0).map(({ last_saved: at }) => at as number);
  const lost = {
    pages: gathered.lostPages,
    walFrames: gathered.lostFrames,
    numbers: rebuilt.lostNumbers + gathered.distrusted,
    sessions: rebuilt.lostSessions,
  };
  const { hasExactSums, hasExactHistory } = rebuilt;
  return {
    complete: hasExactSums && hasExactHistory && Object.values(lost).every((n) => n === 0),
    read: {
      pages: gathered.pages - gathered.lostPages,
      keys: tables.key.length,
      sessions: tables.session.length,
      numbers: tables.count.length,
    },
    lost,
    sums: hasExactSums ? "exact" : "lower bounds",
    history: hasExactHistory ? "exact" : "lower bounds",
    lastSaved: saved.length > 0 ? saved.reduce((a, b) => Math.max(a, b)) : null,
  };
}

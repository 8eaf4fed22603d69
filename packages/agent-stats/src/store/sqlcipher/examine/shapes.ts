import type { RecordValue } from "../pages/records.ts";
import type { Row } from "../pages/tree.ts";

/** What of the library's tables is read page by page. A table that a later schema adds is named here. */
export type TableName = "meta" | "session" | "key" | "count" | "past" | "tombstone" | "audit" | "report";
/** Beside them, what helps: the index of keys holds their names once more. */
export type TreeName = TableName | "keyIndex" | "sequence";

type Test = (value: RecordValue) => boolean;

const isCount: Test = (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isWhole: Test = (value) => typeof value === "number" && Number.isSafeInteger(value);
const isText: Test = (value) => typeof value === "string";
const isNull: Test = (value) => value === null;
const isBytes: Test = (value) => Buffer.isBuffer(value);
const isOneOf =
  (...values: readonly RecordValue[]): Test =>
  (value) =>
    values.includes(value);
const maybe =
  (test: Test): Test =>
  (value) =>
    value === null || test(value);

interface Shape {
  /** Tables with rowids hold null in place of the id, which is the rowid. */
  readonly hasRowids: boolean;
  /** What the first columns hold: schemas only ever add. No two tables have rows of the same shape. */
  readonly columns: readonly Test[];
  readonly names: readonly string[];
}

const SHAPES: Readonly<Record<TreeName, Shape>> = {
  meta: { hasRowids: false, columns: [isText, isCount], names: ["name", "value"] },
  session: {
    hasRowids: true,
    columns: [
      isNull,
      isCount,
      isCount,
      maybe(isCount),
      maybe(isText),
      isCount,
      isCount,
      isCount,
      isOneOf(0, 1),
      maybe(isText),
    ],
    names: ["session_id", "started", "last_saved", "ended", "how", "flush_every", "saves", "seen", "folded", "agent"],
  },
  key: {
    hasRowids: true,
    columns: [isNull, isText, isText, isText, isCount],
    names: ["key_id", "protocol", "user_id", "server", "tracked_since"],
  },
  count: {
    hasRowids: false,
    columns: [isCount, isWhole, isCount, isText, isCount],
    names: ["session_id", "hour", "key_id", "counter", "value"],
  },
  past: { hasRowids: false, columns: [isCount, isText, isCount], names: ["key_id", "counter", "value"] },
  tombstone: {
    hasRowids: true,
    columns: [isNull, isOneOf("delete", "reset"), maybe(isText), maybe(isText), maybe(isText), maybe(isText)],
    names: ["tombstone_id", "what", "protocol", "user_id", "server", "digest"],
  },
  audit: {
    hasRowids: true,
    columns: [isNull, isCount, isText, maybe(isCount), maybe(isCount), maybe(isText)],
    names: ["audit_id", "at", "what", "session_id", "folded", "scope"],
  },
  report: {
    hasRowids: true,
    columns: [isNull, isCount, isBytes, maybe(isText)],
    names: ["report_id", "made", "key", "case_id"],
  },
  keyIndex: {
    hasRowids: false,
    columns: [isText, isText, isText, isCount],
    names: ["user_id", "protocol", "server", "key_id"],
  },
  sequence: { hasRowids: true, columns: [isText, isCount], names: ["name", "seq"] },
};

export const TREES = Object.keys(SHAPES) as TreeName[];

/** A row by the names of its columns. */
export type NamedRow = Readonly<Record<string, RecordValue>>;

/** The row as one of that table; null when it cannot be one, and is not believed. */
export function namedRow(tree: TreeName, { rowid, values }: Row): NamedRow | null {
  const { hasRowids, columns, names } = SHAPES[tree];
  const isLong = values.length >= columns.length && columns.every((test, i) => test(values[i] as RecordValue));
  if (!isLong || hasRowids !== rowid > 0) return null;
  return Object.fromEntries(
    names.map((name, i) => [name, values[i] === null && i === 0 ? rowid : values[i]]),
  ) as NamedRow;
}

/** Which table a row is of that nothing leads to. */
export function treeOf(row: Row): TreeName | null {
  return (
    TREES.find((tree) => SHAPES[tree].columns.length === row.values.length && namedRow(tree, row) !== null) ?? null
  );
}

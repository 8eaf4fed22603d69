import { openPage, type PageKeys } from "../pages/cipher.ts";
import { type FileBytes, type Image, imageOf } from "../pages/image.ts";
import { freePages, lostPages, type Row, readNode, readTree } from "../pages/tree.ts";
import type { Frame } from "../pages/wal.ts";
import { type NamedRow, namedRow, TREES, type TreeName, treeOf } from "./shapes.ts";

/** What of one table could be read. */
export interface ReadTree {
  readonly rows: NamedRow[];
  /** True when rows of it may be missing. */
  isPartial: boolean;
}

export interface Gathered {
  readonly trees: Readonly<Record<TreeName, ReadTree>>;
  /** Keys, and the index of keys, as saves tell of them that cannot be read whole: whoever is in neither was deleted. */
  readonly later: readonly ReadTree[];
  /** How the library's tables and views are defined, as far as that can be read. */
  readonly definitions: string[];
  readonly pages: number;
  readonly lostPages: number;
  /** Frames of the WAL that are left out, because one among them cannot be read. */
  readonly lostFrames: number;
  /** Rows that stand where they should, and are not possible. */
  distrusted: number;
}

/**
 * Reads everything that authenticates, of one moment: that of the last commit whose frames can all be read. An older
 * version of a page never stands in for one that is damaged, as it could bring back what was deleted since.
 */
export function gather(files: FileBytes, keys: PageKeys): Gathered {
  const frames = readableFrames(files, keys);
  const { committed, beyond, isBroken } = files.wal;
  const all = [...committed, ...beyond];
  const left = all.length - frames.length;
  const gathered = gatherImage(imageOf(files, frames, keys));
  if (!isBroken || left === 0) return gathered;
  const ends = all.findLastIndex(({ commit }) => commit > 0) + 1;
  const { key, keyIndex } = gatherImage(imageOf(files, all.slice(0, ends), keys)).trees;
  return { ...gathered, lostFrames: left, later: [key, keyIndex] };
}

function gatherImage(image: Image): Gathered {
  const lost = lostPages(image);
  const gathered = {
    trees: emptyTrees(),
    later: [],
    definitions: [],
    pages: image.pageCount,
    lostPages: lost.length,
    lostFrames: 0,
    distrusted: 0,
  };
  const visited = readByRoots(image, gathered);
  if (lost.length > 0) readByShapes(image, visited, gathered);
  // Where only the first page is lost, it held nothing but the list of tables.
  if (image.page(1) === null && lost.length > 1) {
    for (const tree of Object.values(gathered.trees)) tree.isPartial = true;
  }
  return gathered;
}

function emptyTrees(): Record<TreeName, ReadTree> {
  return Object.fromEntries(TREES.map((name) => [name, { rows: [], isPartial: false }])) as unknown as Record<
    TreeName,
    ReadTree
  >;
}

/** All that is committed; with what lies beyond a damaged header of a frame, if every page there is as it was written. */
function readableFrames({ wal }: FileBytes, keys: PageKeys): readonly Frame[] {
  const { committed, beyond } = wal;
  const ends = beyond.findLastIndex(({ commit }) => commit > 0) + 1;
  const isReadable = beyond.slice(0, ends).every(({ page, bytes }) => openPage(bytes, page, keys) !== null);
  return wal.isBeyondWhole && isReadable ? [...committed, ...beyond.slice(0, ends)] : committed;
}

const NAMES: Readonly<Record<string, TreeName>> = {
  agent_stats_meta: "meta",
  agent_stats_session: "session",
  agent_stats_key: "key",
  agent_stats_count: "count",
  agent_stats_past: "past",
  agent_stats_tombstone: "tombstone",
  agent_stats_audit: "audit",
  agent_stats_report: "report",
  sqlite_autoindex_agent_stats_key_1: "keyIndex",
  sqlite_sequence: "sequence",
};

/** Reads each table from its root, as the list of tables in the first page tells it. Returns the pages that are told for. */
function readByRoots(image: Image, gathered: Gathered): Set<number> {
  const schema = readTree(image, 1);
  const visited = new Set(schema.visited);
  for (const { values } of schema.rows) {
    const [, name, , root, sql] = values;
    if (String(name).startsWith("agent_stats")) gathered.definitions.push(String(sql));
    if (typeof root !== "number" || root === 0) continue;
    const tree = readTree(image, root);
    for (const page of tree.visited) visited.add(page);
    const known = NAMES[String(name)];
    if (known === undefined) continue;
    const { rows } = gathered.trees[known];
    for (const row of tree.rows) {
      const named = namedRow(known, row);
      if (named) rows.push(named);
      else gathered.distrusted += 1;
    }
    gathered.trees[known].isPartial = tree.isPartial;
  }
  if (schema.isPartial && image.page(1) !== null)
    for (const tree of Object.values(gathered.trees)) tree.isPartial = true;
  return visited;
}

/**
 * Reads what nothing leads to any more, because the page that did is lost: every page of a database is in use or free,
 * and free ones hold zeros. Rows tell by their shape of which table they are.
 */
function readByShapes(image: Image, visited: ReadonlySet<number>, gathered: Gathered): void {
  const free = freePages(image);
  if (!free.isComplete && image.page(1) !== null) return;
  const orphans: Row[] = [];
  for (let number = 2; number <= image.pageCount; number++) {
    if (visited.has(number) || free.pages.has(number)) continue;
    orphans.push(...(readNode(image, number)?.rows ?? []));
  }
  for (const row of orphans) {
    const tree = treeOf(row);
    const named = tree && namedRow(tree, row);
    if (tree && named) gathered.trees[tree].rows.push(named);
  }
}

import { PAGE_BYTES, USABLE_BYTES } from "./cipher.ts";
import type { Image } from "./image.ts";
import { type RecordValue, readRecord, readVarint } from "./records.ts";

/** One row, with its rowid where the table has one; else 0. */
export interface Row {
  readonly rowid: number;
  readonly values: readonly RecordValue[];
}

export interface TreeRows {
  readonly rows: readonly Row[];
  /** Pages that were looked at, and could be. */
  readonly visited: ReadonlySet<number>;
  /** True when not all of it could be read. */
  readonly isPartial: boolean;
}

/** The kinds of b-tree pages (https://sqlite.org/fileformat2.html#b_tree_pages), as their first byte says. */
const KINDS: Readonly<Record<number, { readonly isLeaf: boolean; readonly hasRowids: boolean }>> = {
  2: { isLeaf: false, hasRowids: false },
  5: { isLeaf: false, hasRowids: true },
  10: { isLeaf: true, hasRowids: false },
  13: { isLeaf: true, hasRowids: true },
};

/** Where the b-tree begins in the first page, after the file's own header. */
const FIRST_PAGE_HEADER_BYTES = 100;

/** Every row that can be reached from a root page, whatever could not be read on the way. */
export function readTree(image: Image, root: number): TreeRows {
  const rows: Row[] = [];
  const visited = new Set<number>();
  let isPartial = false;
  const waiting = [root];
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    const node = visited.has(number) ? null : readNode(image, number);
    if (node === null) {
      isPartial = true;
      continue;
    }
    visited.add(number);
    for (const page of node.overflow) visited.add(page);
    rows.push(...node.rows);
    waiting.push(...node.children);
    isPartial ||= node.isPartial;
  }
  return { rows, visited, isPartial };
}

/** Whether a page in plaintext has the form of one of a b-tree: by chance, one in a million has. */
export function looksLikeTree(plain: Buffer, number: number): boolean {
  const start = number === 1 ? FIRST_PAGE_HEADER_BYTES : 0;
  const kind = KINDS[plain[start] as number];
  const cells = plain.readUInt16BE(start + 3);
  const content = plain.readUInt16BE(start + 5);
  const pointersEnd = start + 12 + 2 * cells;
  return (
    kind !== undefined &&
    plain.readUInt16BE(start + 1) < USABLE_BYTES &&
    cells > 0 &&
    content <= USABLE_BYTES &&
    pointersEnd <= content + 4
  );
}

interface Node {
  readonly rows: readonly Row[];
  readonly children: readonly number[];
  readonly overflow: readonly number[];
  readonly hasRowids: boolean;
  readonly isPartial: boolean;
}

/** One page of a b-tree: its rows, and its children; null when it is none or cannot be read. */
export function readNode(image: Image, number: number): Node | null {
  const page = number >= 1 && number <= image.pageCount ? image.page(number) : null;
  const start = number === 1 ? FIRST_PAGE_HEADER_BYTES : 0;
  const kind = page && KINDS[page[start] as number];
  if (!page || !kind) return null;
  const children = kind.isLeaf ? [] : [page.readUInt32BE(start + 8)];
  const rows: Row[] = [];
  const overflow: number[] = [];
  let isPartial = false;
  const cells = page.readUInt16BE(start + 3);
  const pointers = start + (kind.isLeaf ? 8 : 12);
  for (let i = 0; i < cells; i++) {
    const at = pointers + 2 * i + 2 <= USABLE_BYTES ? page.readUInt16BE(pointers + 2 * i) : USABLE_BYTES;
    if (at + 4 > USABLE_BYTES) return null;
    if (!kind.isLeaf) children.push(page.readUInt32BE(at));
    if (!kind.isLeaf && kind.hasRowids) continue;
    const row = readCell(image, page.subarray(0, USABLE_BYTES), at + (kind.isLeaf ? 0 : 4), kind.hasRowids, overflow);
    if (row === null) isPartial = true;
    else rows.push(row);
  }
  return { rows, children, overflow, hasRowids: kind.hasRowids, isPartial };
}

function readCell(image: Image, page: Buffer, at: number, hasRowids: boolean, overflow: number[]): Row | null {
  const size = readVarint(page, at);
  const rowid = size && hasRowids ? readVarint(page, size[1]) : ([0, size?.[1] ?? 0] as const);
  if (size === null || rowid === null) return null;
  const payload = readPayload(image, page, rowid[1], size[0], hasRowids, overflow);
  const values = payload && readRecord(payload);
  return values && { rowid: rowid[0], values };
}

/** What of a payload stands in the page itself, and the chain of pages that holds the rest. */
function readPayload(
  image: Image,
  page: Buffer,
  at: number,
  size: number,
  hasRowids: boolean,
  overflow: number[],
): Buffer | null {
  const here = localBytes(size, hasRowids);
  if (at + here > page.length) return null;
  const parts = [page.subarray(at, at + here)];
  let left = size - here;
  if (left > 0 && at + here + 4 > page.length) return null;
  for (let next = left > 0 ? page.readUInt32BE(at + here) : 0; left > 0; ) {
    const more = next >= 1 && next <= image.pageCount && !overflow.includes(next) ? image.page(next) : null;
    if (more === null) return null;
    overflow.push(next);
    const length = Math.min(left, USABLE_BYTES - 4);
    parts.push(more.subarray(4, 4 + length));
    left -= length;
    next = more.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

/** How much of a payload is kept in its page, as the file format computes it. */
function localBytes(size: number, hasRowids: boolean): number {
  const most = hasRowids ? USABLE_BYTES - 35 : Math.floor(((USABLE_BYTES - 12) * 64) / 255) - 23;
  if (size <= most) return size;
  const least = Math.floor(((USABLE_BYTES - 12) * 32) / 255) - 23;
  const rest = least + ((size - least) % (USABLE_BYTES - 4));
  return rest <= most ? rest : least;
}

/** The pages that are free, as far as they can be told, and whether they are all. */
export function freePages(image: Image): { readonly pages: ReadonlySet<number>; readonly isComplete: boolean } {
  const pages = new Set<number>();
  const first = image.page(1);
  if (first === null) return { pages, isComplete: false };
  const expected = first.readUInt32BE(36);
  for (let trunk = first.readUInt32BE(32); trunk !== 0; ) {
    const page = trunk <= image.pageCount && !pages.has(trunk) ? image.page(trunk) : null;
    pages.add(trunk);
    const leaves = page?.readUInt32BE(4) ?? 0;
    if (page === null || 8 + 4 * leaves > USABLE_BYTES) return { pages, isComplete: false };
    for (let i = 0; i < leaves; i++) pages.add(page.readUInt32BE(8 + 4 * i));
    trunk = page.readUInt32BE(0);
  }
  return { pages, isComplete: pages.size === expected };
}

/** Pages that hold something, or may, and cannot be read. */
export function lostPages(image: Image): number[] {
  const free = freePages(image).pages;
  const lost: number[] = [];
  for (let number = 1; number <= image.pageCount; number++) {
    if (image.page(number) === null && !free.has(number) && number !== LOCK_PAGE) lost.push(number);
  }
  return lost;
}

/** SQLite never writes to the page at one gigabyte, where its locks are. */
export const LOCK_PAGE = 0x40000000 / PAGE_BYTES + 1;

import { StatsError } from "../../errors.ts";
import { openPage, PAGE_BYTES, type PageKeys, pageKeys, SALT_BYTES } from "./cipher.ts";
import { readHere, readOutside, statOf } from "./outside.ts";
import { type Frame, readWal, readWalIndex, type Wal, type WalIndex } from "./wal.ts";

/** A database file and what belongs to it, as they were at one moment. */
export interface FileBytes {
  /** Null where there is no file. */
  readonly db: Buffer | null;
  readonly wal: Wal;
  readonly index: WalIndex | null;
}

/** How often, and how far apart, the files are read until nobody has begun a new WAL meanwhile. */
const LOOKS = 20;
const BETWEEN_LOOKS_MS = 25;

/**
 * Reads a database, its WAL and its index of one moment, also while others write: in WAL mode, whatever is moved into
 * the file meanwhile still stands in the WAL that is read after it.
 *
 * @throws StatsError `STATS_BUSY` when others are never done, or that it cannot be read
 */
export function readFiles(file: string, { withIndex = true } = {}): FileBytes {
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) sleep(BETWEEN_LOOKS_MS);
    const found = readOnce(file, withIndex);
    if (found !== null) return found;
  }
  throw new StatsError("STATS_BUSY", "Others write to the file without a pause: try again.");
}

function readOnce(file: string, withIndex: boolean): FileBytes | null {
  const stamp = () => {
    const stat = statOf(file);
    return stat && `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  };
  const before = stamp();
  const walBefore = readHere(`${file}-wal`);
  const db = readOutside(file);
  const index = withIndex ? readWalIndex(readOutside(`${file}-shm`)) : null;
  const walBytes = readHere(`${file}-wal`);
  const first = readWal(walBefore);
  const wal = readWal(walBytes);
  // Only a WAL that was there before the file was read holds all that was moved into the file meanwhile.
  const isOneMoment = first.salts === wal.salts && wal.committed.length >= first.committed.length;
  if (!isOneMoment || (wal.salts === "" && stamp() !== before)) return null;
  return { db, wal, index };
}

export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The pages of a database at the end of a transaction. */
export interface Image {
  readonly pageCount: number;
  /** In plaintext, as SQLite sees it; null where it does not authenticate, or is missing. */
  page(number: number): Buffer | null;
  /** True where a page holds nothing but zeros on disk: SQLite reads it as zeros, though nobody ever wrote that. */
  isBlank(number: number): boolean;
}

/** The keys that open these pages; null when not one page authenticates with them: it is another key, or all is lost. */
export function keysThatFit({ db, wal }: FileBytes, keyLiteral: string): PageKeys | null {
  const frames = [...wal.committed, ...wal.beyond];
  const first = frames.find(({ page }) => page === 1);
  const salts = [db, first?.bytes].filter((bytes) => bytes && bytes.length >= SALT_BYTES) as Buffer[];
  for (const salt of salts.map((bytes) => Buffer.from(bytes.subarray(0, SALT_BYTES)))) {
    const keys = pageKeys(keyLiteral, salt);
    if (frames.some(({ page, bytes }) => openPage(bytes, page, keys) !== null)) return keys;
    for (let number = 1; db && number * PAGE_BYTES <= db.length; number++) {
      if (openPage(pageOf(db, number), number, keys) !== null) return keys;
    }
  }
  return null;
}

/** The file with these frames laid over it. */
export function imageOf({ db }: FileBytes, frames: readonly Frame[], keys: PageKeys): Image {
  const newest = new Map(frames.map(({ page, bytes }) => [page, bytes]));
  const bytesOf = (number: number) => newest.get(number) ?? (db ? pageOf(db, number) : Buffer.alloc(0));
  const opened = new Map<number, Buffer | null>();
  const page = (number: number) => {
    let plain = opened.get(number);
    if (plain === undefined) {
      plain = openPage(bytesOf(number), number, keys);
      opened.set(number, plain);
    }
    return plain;
  };
  const inFile = Math.ceil((db?.length ?? 0) / PAGE_BYTES);
  const last = frames.findLast(({ commit }) => commit > 0)?.commit;
  return {
    pageCount: last ?? headerPages(page(1)) ?? Math.max(inFile, ...newest.keys()),
    page,
    isBlank: (number) => bytesOf(number).length === PAGE_BYTES && bytesOf(number).every((byte) => byte === 0),
  };
}

function pageOf(db: Buffer, number: number): Buffer {
  return db.subarray((number - 1) * PAGE_BYTES, number * PAGE_BYTES);
}

/** How many pages the first one says that there are, if it can be believed. */
function headerPages(first: Buffer | null): number | null {
  if (first === null || first.readUInt32BE(24) !== first.readUInt32BE(92)) return null;
  return first.readUInt32BE(28) || null;
}

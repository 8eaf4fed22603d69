import { StatsError } from "../errors.ts";
import { codeOf, statsErrorOf } from "../sqlite/handle.ts";
import type { KeyedFile } from "./connect.ts";
import { unreadable } from "./examine/verify.ts";
import { openPage } from "./pages/cipher.ts";
import { type FileBytes, imageOf, keysThatFit, readFiles, sleep } from "./pages/image.ts";
import { areOfOneMoment } from "./pages/moment.ts";
import { isWithoutReader, readHere, readOutside, statOf } from "./pages/outside.ts";
import { freePages } from "./pages/tree.ts";
import { readWal, readWalIndex } from "./pages/wal.ts";

/** What is wrong is believed when it stands still for so long: whoever writes meanwhile has the file open, and well. */
const STANDS_STILL_MS = 20;
const LOOKS = 5;

/**
 * Looks at a file that has a WAL, from outside, before SQLite comes near it. SQLite believes whatever stands beside a
 * file under that name: a WAL of another file, or of another moment of this one, or what damage left of it, it lays over
 * the file, gives numbers out that never were, and moves it all into the file when the connection is closed, even where
 * the key opened nothing. A file without a WAL costs nothing here.
 *
 * @returns true when every page was seen to be as it was written
 * @throws StatsError with the code for what is wrong; no byte was changed
 */
export function lookFirst({ file, keyLiteral }: KeyedFile): boolean {
  if (!statOf(`${file}-wal`)?.size) return false;
  for (let look = 0; look < LOOKS; look++) {
    const before = stampOf(file);
    const files = readOrNull(file);
    // Others write without a pause: they have it open, and well.
    if (files === null) return false;
    const problem = problemOf(files, keyLiteral);
    if (problem === null) return true;
    sleep(STANDS_STILL_MS);
    if (stampOf(file) === before) throw problem;
  }
  return false;
}

/**
 * Whether every page is as it was written, as another process reads it; false where that cannot be told.
 *
 * @throws StatsError when that one cannot read it either
 */
export function isWholeOutside({ file, keyLiteral }: KeyedFile): boolean {
  const files = readOrNull(file);
  return files !== null && problemOf(files, keyLiteral) === null;
}

/**
 * Whether SQLite, which has just opened the file, knows all of its log: as the log's index tells. An index that was told
 * of commits was built long ago, and what it does not know was never committed: somebody was killed in writing it.
 *
 * @throws StatsError when one of them cannot be read
 */
export function knowsItsLog(file: string): boolean {
  const { committed, salts } = readWal(readHere(`${file}-wal`));
  if (committed.length === 0) return true;
  // In this order: what is written between the two, the index knows.
  const index = readWalIndex(readOutside(`${file}-shm`));
  return index !== null && (index.commits > 0 || (index.salts === salts && index.frames >= committed.length));
}

/**
 * The salt that the key fits with, as hex digits; null where it cannot be told. A power cut can tear the first page, and
 * the salt in it, while it is moved from the WAL into the file; the WAL still has both, and SQLite looks in the file only.
 */
export function saltOf({ file, keyLiteral }: KeyedFile): string | null {
  const files = readOrNull(file);
  return (files && keysThatFit(files, keyLiteral)?.salt.toString("hex")) ?? null;
}

function readOrNull(file: string): FileBytes | null {
  try {
    return readFiles(file, { withIndex: false });
  } catch (error) {
    // Where no other process can be started, SQLite has to be believed.
    if (codeOf(error) === "STATS_BUSY" || isWithoutReader(error)) return null;
    throw error;
  }
}

function stampOf(file: string): string {
  return ["", "-wal"]
    .map((part) => statOf(file + part))
    .map((stat) => stat && `${stat.ino} ${stat.size} ${stat.mtimeMs}`)
    .join();
}

function problemOf(files: FileBytes, keyLiteral: string): StatsError | null {
  const keys = keysThatFit(files, keyLiteral);
  if (keys === null) return unreadable(files);
  const { committed } = files.wal;
  if (committed.some(({ page, bytes }) => openPage(bytes, page, keys) === null)) return apart();
  const image = imageOf(files, committed, keys);
  const free = freePages(image).pages;
  for (let number = 1; number <= image.pageCount; number++) {
    if (image.page(number) === null && !free.has(number)) return statsErrorOf({ code: "SQLITE_CORRUPT" });
  }
  return areOfOneMoment(files, keys) ? null : apart();
}

function apart(): StatsError {
  return new StatsError(
    "STATS_DAMAGED",
    "The file and its log (-wal) are not of one moment: restore both from one copy, or move both aside to begin anew; neither was changed.",
  );
}

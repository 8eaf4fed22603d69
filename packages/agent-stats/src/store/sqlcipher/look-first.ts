import { StatsError } from "../errors.ts";
import { CHANGES } from "../sqlite/changes.ts";
import { codeOf, statsErrorOf } from "../sqlite/handle.ts";
import type { KeyedFile } from "./connect.ts";
import { unreadable } from "./examine/verify.ts";
import { openPage, type PageKeys } from "./pages/cipher.ts";
import { type FileBytes, type Image, imageOf, keysThatFit, readFiles, sleep } from "./pages/image.ts";
import { statOf } from "./pages/outside.ts";
import { freePages, readTree } from "./pages/tree.ts";

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

function readOrNull(file: string): FileBytes | null {
  try {
    return readFiles(file, { withIndex: false });
  } catch (error) {
    if (codeOf(error) === "STATS_BUSY") return null;
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
  return areOfOneMoment(files, keys, image) ? null : apart();
}

/**
 * A WAL begins with the change that follows those in its file, and the file holds no change that its WAL has not reached:
 * it is moved there only when it is on the disk.
 */
function areOfOneMoment(files: FileBytes, keys: PageKeys, now: Image): boolean {
  const { committed } = files.wal;
  const inFile = changesIn(imageOf(files, [], keys));
  // A page that was cut off while it was moved into the file is whole in the WAL.
  if (committed.length === 0 || inFile === null) return true;
  const ends = committed.findIndex(({ commit }) => commit > 0) + 1;
  const first = changesIn(imageOf(files, committed.slice(0, ends), keys));
  const last = changesIn(now);
  return first !== null && last !== null && first - 1 <= inFile && inFile <= last;
}

/** How many changes were made to the statistics until that moment; null where it cannot be read. */
function changesIn(image: Image): number | null {
  if (image.page(1) === null) return null;
  const tables = readTree(image, 1).rows;
  const meta = tables.find(({ values }) => values[1] === "agent_stats_meta");
  if (meta === undefined) return 0;
  const { rows, isPartial } = readTree(image, Number(meta.values[3]));
  const row = rows.find(({ values }) => values[0] === CHANGES);
  if (row === undefined) return isPartial ? null : 0;
  return Number(row.values[1]);
}

function apart(): StatsError {
  return new StatsError(
    "STATS_DAMAGED",
    "The file and its log (-wal) are not of one moment: restore both from one copy, or move both aside to begin anew; neither was changed.",
  );
}

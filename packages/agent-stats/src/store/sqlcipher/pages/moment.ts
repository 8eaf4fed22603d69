import { CHANGES } from "../../sqlite/changes.ts";
import type { PageKeys } from "./cipher.ts";
import { type FileBytes, type Image, imageOf } from "./image.ts";
import { readTree } from "./tree.ts";

/**
 * A WAL begins with the change that follows those in its file, and the file holds no change that its WAL has not reached:
 * it is moved there only when it is on the disk.
 */
export function areOfOneMoment(files: FileBytes, keys: PageKeys): boolean {
  const { committed } = files.wal;
  const inFile = changesIn(imageOf(files, [], keys));
  // A page that was cut off while it was moved into the file is whole in the WAL.
  if (committed.length === 0 || inFile === null) return true;
  const ends = committed.findIndex(({ commit }) => commit > 0) + 1;
  const first = changesIn(imageOf(files, committed.slice(0, ends), keys));
  const last = changesIn(imageOf(files, committed, keys));
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

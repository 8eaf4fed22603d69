import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { codeOf, type SqliteHandle, statsErrorOf } from "../sqlite/handle.ts";
import { fileLocks } from "../sqlite/locks.ts";
import type { KeyedFile } from "./connect.ts";
import type { Driver } from "./drivers.ts";
import { openSealed } from "./examine/sealed-copy.ts";
import { unreadable } from "./examine/verify.ts";
import { fileErrorOf } from "./folder.ts";
import { imageOf, keysThatFit, readFiles } from "./pages/image.ts";
import { statOf } from "./pages/outside.ts";
import { lostPages } from "./pages/tree.ts";

/**
 * Opens a moment of the file for reading, where SQLite would have to write to read: in a folder that may not be written,
 * and beside a WAL that a kill left, which the last to close moves into the file. Nothing is changed, and no lock held.
 *
 * @throws StatsError with the code for what is wrong
 */
export function openSnapshot(driver: Driver, { file, keyLiteral }: KeyedFile): SqliteHandle {
  const files = readFiles(file);
  const keys = keysThatFit(files, keyLiteral);
  if (keys === null) throw unreadable(files);
  const image = imageOf(files, files.wal.committed, keys);
  if (lostPages(image).length > 0) throw statsErrorOf({ code: "SQLITE_CORRUPT" });
  try {
    return openSealed(driver, image);
  } catch (error) {
    throw fileErrorOf(error);
  }
}

/** Whether a WAL stands there of which no session that lives would know: a reader would be the last to close it. */
export function isLeftAlone(driver: Driver, file: string): boolean {
  if (!statOf(`${file}-wal`)?.size) return false;
  const prefix = `${basename(file)}-session-`;
  const locks = fileLocks(file, driver.open);
  try {
    return readdirSync(dirname(file))
      .filter((name) => name.startsWith(prefix))
      .every((name) => !locks.isHeld(Number.parseInt(name.slice(prefix.length), 10)));
  } catch (error) {
    // A folder or a lock that may not be read tells nothing.
    if (codeOf(error) === "") throw error;
    return false;
  }
}

import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqliteHandle } from "../../sqlite/handle.ts";
import type { Driver } from "../drivers.ts";
import { pageKeys, SALT_BYTES, sealPage } from "../pages/cipher.ts";
import type { Image } from "../pages/image.ts";

/** Where the first page says which journal its readers need: 1 is none, while nobody writes. */
const JOURNAL_VERSIONS_AT = [18, 19];

/**
 * Opens a moment of a database with SQLite, without SQLite coming near the file: a copy, encrypted with a key that
 * nobody is ever told. So nothing can be read in what a crash leaves of it, and no deletion has to reach it.
 */
export function openSealed(driver: Driver, image: Image): SqliteHandle {
  const key = randomBytes(32).toString("hex");
  const folder = mkdtempSync(join(tmpdir(), "agent-stats-sealed-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const file = join(folder, "copy.db");
    write(file, image, key);
    const handle = driver.open(file);
    handle.exec(`${driver.beforeKey}; PRAGMA key = "x'${key}'"; PRAGMA temp_store = MEMORY; PRAGMA query_only = ON`);
    handle.prepare("SELECT COUNT(*) AS n FROM sqlite_schema").get([]);
    // Where an open file cannot be removed, it goes when it is closed.
    if (process.platform !== "win32") remove();
    return {
      exec: (sql) => handle.exec(sql),
      prepare: (sql) => handle.prepare(sql),
      close: () => closeAll(handle, remove),
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function closeAll(handle: SqliteHandle, remove: () => void): void {
  try {
    handle.close();
  } finally {
    remove();
  }
}

function write(file: string, image: Image, key: string): void {
  const salt = randomBytes(SALT_BYTES);
  const keys = pageKeys(`"x'${key}'"`, salt);
  const fd = openSync(file, "wx", 0o600);
  try {
    for (let number = 1; number <= image.pageCount; number++) {
      const plain = Buffer.from(image.page(number) ?? Buffer.alloc(4_096));
      if (number === 1) for (const at of JOURNAL_VERSIONS_AT) plain[at] = 1;
      // All of it or an error: a disk that is almost full may take a part of a page without one.
      writeFileSync(fd, sealPage(plain, number, keys, salt));
    }
  } finally {
    closeSync(fd);
  }
}

import type { Erased } from "../store.ts";
import { CHANGES } from "./changes.ts";
import type { Connection } from "./connection.ts";

/** How long an erasure waits for a reader. All other calls wait behind it, the last save of an ending process too. */
const ERASE_PATIENCE_MS = 250;

/** Overwrites what was deleted, in every page of every file. See `StoreCalls.erase`. */
export function erase(db: Connection): Erased {
  try {
    return db.use(({ handle, ownFile }) => {
      if (db.meta("erase_pending") === 0) return "physically";
      if (!ownFile) return "logically";
      const waits = db.get<{ timeout: number }>("PRAGMA busy_timeout")?.timeout ?? 0;
      handle.exec(`PRAGMA busy_timeout = ${ERASE_PATIENCE_MS}`);
      try {
        // Freed pages, and old versions of pages in the WAL, still hold the names: move the WAL into the file, rewrite
        // the file without its free pages, move that into the file too. secure_delete alone does not do it.
        if (!checkpoint(db)) return "pending";
        // Rewriting moves every page: no WAL of before may ever be taken for one of after.
        const own = db.write(() => markBegun(db));
        handle.exec("VACUUM");
        if (!checkpoint(db)) return "pending";
        return db.write(() => isAllErased(db, own)) ? "physically" : "pending";
      } finally {
        handle.exec(`PRAGMA busy_timeout = ${waits}`);
      }
    });
  } catch {
    // The deletion itself is done. A reader that holds the file, or a disk without room for the rewriting, delays this.
    return "pending";
  }
}

/** Within a call: a mark that no other erasure has, and no deletion leaves. */
function markBegun(db: Connection): number {
  const own = db.meta(CHANGES) + 2;
  db.setMeta("erase_pending", own);
  return own;
}

/** Within a call: what others deleted after that mark has still to be erased, by whoever comes first. */
function isAllErased(db: Connection, own: number): boolean {
  db.run("UPDATE agent_stats_meta SET value = 0 WHERE name = 'erase_pending' AND value = ?", [own]);
  return db.meta("erase_pending") === 0;
}

function checkpoint(db: Connection): boolean {
  return db.get<{ busy: number }>("PRAGMA wal_checkpoint(TRUNCATE)")?.busy === 0;
}

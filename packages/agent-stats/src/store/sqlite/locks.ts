import { existsSync, rmSync } from "node:fs";
import { codeOf, type SessionLocks, type SqliteHandle } from "./handle.ts";

/** Long enough to outlast a reader that only looks whether the lock is held. */
const TAKE_WITHIN_MS = 100;

/**
 * One empty SQLite file a session, locked exclusively: the operating system frees it when the process dies, however it
 * dies. A pid can be another process's by then, and a clock can be wrong; neither is looked at.
 */
export function fileLocks(file: string, open: (path: string) => SqliteHandle): SessionLocks {
  const held = new Map<number, SqliteHandle>();
  const pathOf = (session: number) => `${file}-session-${session}`;

  const release = (session: number) => {
    held.get(session)?.close();
    held.delete(session);
    rmSync(pathOf(session), { force: true });
  };

  return {
    take(session) {
      if (held.has(session)) return true;
      const handle = lockFile(pathOf(session), open, TAKE_WITHIN_MS);
      if (handle) held.set(session, handle);
      return handle !== null;
    },
    isHeld(session) {
      if (held.has(session)) return true;
      if (!existsSync(pathOf(session))) return false;
      const handle = open(pathOf(session));
      try {
        handle.exec("PRAGMA busy_timeout = 0; SELECT 1 FROM sqlite_schema");
        return false;
      } catch (error) {
        if (codeOf(error).startsWith("SQLITE_BUSY")) return true;
        throw error;
      } finally {
        handle.close();
      }
    },
    remove: release,
    removeAll() {
      for (const session of [...held.keys()]) release(session);
    },
  };
}

/** Locks a file of its own, creating it; null when another holds it for longer than that. Closing the handle frees it. */
export function lockFile(path: string, open: (path: string) => SqliteHandle, withinMs: number): SqliteHandle | null {
  const handle = open(path);
  try {
    // With its journal in memory the lock leaves one empty file behind, and no second one.
    handle.exec(`PRAGMA busy_timeout = ${withinMs}; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE`);
    return handle;
  } catch (error) {
    handle.close();
    if (codeOf(error).startsWith("SQLITE_BUSY")) return null;
    throw error;
  }
}

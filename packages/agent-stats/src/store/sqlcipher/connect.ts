import { StatsError } from "../errors.ts";
import { type SqliteHandle, statsErrorOf } from "../sqlite/handle.ts";
import type { Driver } from "./drivers.ts";

/** How long a writer waits for another one, blocking its own thread only. */
export const BUSY_TIMEOUT_MS = 5_000;

export interface KeyedFile {
  readonly file: string;
  /** As `PRAGMA key` takes it. */
  readonly keyLiteral: string;
}

/** A connection that has read the first page with that key, and with this salt where the file may have lost its own. */
export function tryKey(driver: Driver, { file, keyLiteral }: KeyedFile, salt: string | null = null): SqliteHandle {
  const handle = openHandle(driver, file);
  try {
    if (salt !== null) handle.exec(driver.withSalt(salt));
    handle.exec(`${driver.beforeKey}; PRAGMA key = ${keyLiteral}`);
    handle.prepare("SELECT COUNT(*) AS n FROM sqlite_schema").get([]);
    return handle;
  } catch (error) {
    handle.close();
    throw error;
  }
}

export function openHandle(driver: Driver, path: string): SqliteHandle {
  try {
    const handle = driver.open(path);
    handle.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return handle;
  } catch {
    throw statsErrorOf({ code: "SQLITE_CANTOPEN" });
  }
}

/** Sets what the promises rest on, and reads each back: a pragma that SQLite does not know is silently ignored. */
export function configure(handle: SqliteHandle, mode: "write" | "read"): void {
  const set = (name: string, value: string, expected: string | number) => {
    handle.exec(`PRAGMA ${name} = ${value}`);
    const row = handle.prepare(`PRAGMA ${name}`).get([]) as Record<string, unknown>;
    if (Object.values(row)[0] !== expected) {
      throw new StatsError("STATS_STORE_FAILED", `SQLite did not take the setting ${name}: use a driver that has it.`);
    }
  };
  // Temporary files would hold names in plaintext.
  set("temp_store", "MEMORY", 2);
  if (mode === "read") {
    set("query_only", "ON", 1);
    return;
  }
  set("journal_mode", "WAL", "wal");
  // With less than FULL, a power cut loses commits that were acknowledged.
  set("synchronous", "FULL", 2);
  set("secure_delete", "ON", 1);
}

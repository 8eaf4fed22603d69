import { assertGiven } from "../../record/given.ts";
import { StatsError } from "../errors.ts";
import { type OpenDatabase, type SessionLocks, type SqliteHandle, statsErrorOf } from "./handle.ts";
import { fileLocks } from "./locks.ts";
import { createSchema } from "./schema.ts";

export interface HostFileOptions {
  /** The name under which the file is attached. */
  readonly schema: string;
  readonly allowPlaintext: boolean;
}

/** A schema's name as SQL takes it, and nothing else. */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** @throws TypeError when the name is not an identifier: it is written into SQL */
export function assertIdentifier(name: string): void {
  assertGiven(
    typeof name === "string" && IDENTIFIER.test(name),
    "names of schemas, tables and columns are plain identifiers here",
  );
}

/** Prepares a database that the host has open. Its pragmas stay as they are, and so does everything else in it. */
export function openHostFile(handle: SqliteHandle, { schema, allowPlaintext }: HostFileOptions): OpenDatabase {
  const file = fileOf(handle, schema);
  // A database in memory is at rest nowhere.
  if (file !== "" && !allowPlaintext && !isEncrypted(handle, schema)) {
    throw new StatsError(
      "STATS_NOT_ENCRYPTED",
      "The host's database is not encrypted: open it with a key, or say allowPlaintext: true if it may show which servers its users have.",
    );
  }
  createSchema(handle, schema);
  const locks = hostLocks(handle, file);
  return { handle, schema, locks, ownFile: false, assertInPlace: () => {}, close: () => {} };
}

function fileOf(handle: SqliteHandle, schema: string): string {
  const databases = handle.prepare("PRAGMA database_list").all([]) as { name: string; file: string | null }[];
  const found = databases.find(({ name }) => name === schema);
  if (!found) throw statsErrorOf({ code: "SQLITE_CANTOPEN" });
  return found.file ?? "";
}

/** Both known drivers tell the salt of an encrypted database, and none of another. */
function isEncrypted(handle: SqliteHandle, schema: string): boolean {
  try {
    return handle.prepare(`PRAGMA "${schema}".cipher_salt`).all([]).length > 0;
  } catch {
    return false;
  }
}

/**
 * Locks beside the host's file, opened with the host's own driver. Where that cannot be, a session that is alive may be
 * folded by another process; it then goes on with a new one, and every sum stays exact.
 */
function hostLocks(handle: SqliteHandle, file: string): SessionLocks {
  const Database = handle.constructor as new (path: string) => SqliteHandle;
  if (file !== "" && canOpen(Database)) return fileLocks(file, (path) => new Database(path));
  const held = new Set<number>();
  return {
    take: (session) => held.add(session).has(session),
    isHeld: (session) => held.has(session),
    remove: (session) => void held.delete(session),
    removeAll: () => held.clear(),
  };
}

function canOpen(Database: new (path: string) => SqliteHandle): boolean {
  try {
    const probe = new Database(":memory:");
    probe.exec("SELECT 1");
    probe.close();
    return true;
  } catch {
    return false;
  }
}

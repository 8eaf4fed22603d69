import { setImmediate as nextTurn } from "node:timers/promises";
import { assertGiven, assertOptions, can, userIdOf } from "../../record/given.ts";
import { inThisThread } from "../methods.ts";
import type { StatsStore } from "../store.ts";
import { SqliteCalls } from "./calls.ts";
import type { SqliteHandle } from "./handle.ts";
import { assertIdentifier, openHostFile } from "./host-file.ts";

export type { SqliteHandle, SqliteStatement, SqlValue } from "./handle.ts";

export interface SqliteStoreOptions {
  /** The name under which the file is attached to the handle. Default: `main`, the host's own file. */
  readonly schema?: string;
  /** True: a database without encryption is accepted, and shows which servers its users have. Default: false. */
  readonly allowPlaintext?: boolean;
}

/** A store in the host's own database: the user's record and the user's statistics can go in one transaction. */
export interface HostStore extends StatsStore {
  /**
   * Deletes a user's statistics within the transaction that the host has open, so that they go with the user's record
   * or stay with it. Synchronous. The keeper drops the user from memory when it next looks, in a moment.
   * @throws StatsError when the database fails: the host rolls back
   */
  deleteUserWithin(userId: string | number): void;
  /**
   * Installs a trigger that does the same whenever a row of the host's table is deleted, whoever deletes it. The table
   * must stand in the same file. Installing it again changes nothing.
   * @throws StatsError when there is no such table or column
   */
  installUserTrigger(users: { readonly table: string; readonly column: string }): void;
}

/** What one save may write before others get their turn, in counters: about a millisecond. */
const LARGEST_BATCH_CELLS = 500;

/**
 * Keeps statistics in a database that the host has open, in the host's thread, in tables of the prefix `agent_stats_`
 * beside the host's own: better-sqlite3, its encrypted relatives, @signalapp/sqlcipher, and any other handle with the
 * same few methods. It never changes the host's pragmas, never holds a transaction across a wait, and waits while the
 * host is within a transaction of its own. How durable a save is, is the host's `synchronous` setting: with less than
 * FULL a power cut can take what was acknowledged. Close the statistics before the handle.
 *
 * A handle that is not encrypted is refused (`STATS_NOT_ENCRYPTED`) when it is first used, unless `allowPlaintext`.
 *
 * @throws TypeError when the handle has not these methods, or the schema's name is no identifier
 */
export function sqliteStore(handle: SqliteHandle, options: SqliteStoreOptions = {}): HostStore {
  assertGiven(can(handle, "exec", "prepare"), "handle must be a database that is open, with exec and prepare");
  assertOptions(options);
  const { schema = "main", allowPlaintext = false } = options;
  assertIdentifier(schema);
  const calls = new SqliteCalls(() => openHostFile(handle, { schema, allowPlaintext }));
  const store = inThisThread(calls);
  let cleared = () => {};
  return {
    ...store,
    largestBatch: LARGEST_BATCH_CELLS,
    async save(batch) {
      const result = await store.save(batch);
      // The next part of a large save waits for the host's own work.
      await nextTurn();
      return result;
    },
    listen(onCleared) {
      cleared = onCleared;
    },
    deleteUserWithin(userId) {
      calls.deleteUserWithin(userIdOf(userId));
      cleared();
    },
    installUserTrigger(users) {
      assertOptions(users);
      const { table, column } = users;
      assertIdentifier(table);
      assertIdentifier(column);
      calls.installUserTrigger(table, column);
    },
  };
}

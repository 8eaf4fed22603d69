import type { SqliteHandle } from "../handle.ts";

/** Takes a database from the version before to the next, within the transaction that is open. */
export type Migration = (handle: SqliteHandle, schema: string) => void;

/** Creates tables, views, indices and triggers in that schema. The name of each carries the prefix `agent_stats`. */
export function run(handle: SqliteHandle, schema: string, sql: string): void {
  handle.exec(sql.replace(/CREATE (TABLE|VIEW) /g, `$&"${schema}".`));
}

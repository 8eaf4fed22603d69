import type { SqliteHandle } from "./handle.ts";

/** The row of `agent_stats_meta` that counts transactions: tells whether a file and a WAL are of one moment. */
export const CHANGES = "changes";

/** Within a transaction that writes. Files of before have no such row. */
export function countChange(handle: SqliteHandle): void {
  handle.exec(
    `INSERT INTO agent_stats_meta (name, value) VALUES ('${CHANGES}', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1`,
  );
}

import type { SqliteHandle } from "../../sqlite/handle.ts";
import { type Finding, type FindingCode, finding } from "./findings.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const isCount = (column: string) => `(typeof(${column}) = 'integer' AND ${column} BETWEEN 0 AND ${MAX})`;
const isText = (column: string) => `(typeof(${column}) = 'text')`;

/** Per finding, queries that count what must not be there. They hold for every schema since the first. */
const QUESTIONS: Readonly<Partial<Record<FindingCode, readonly string[]>>> = {
  "meta-invalid": [
    `SELECT 4 - COUNT(*) AS n FROM agent_stats_meta
      WHERE name IN ('schema_version', 'tracked_since', 'erase_pending', 'salt') AND ${isCount("value")}`,
    "SELECT COUNT(*) AS n FROM agent_stats_tombstone WHERE what NOT IN ('delete', 'reset')",
  ],
  "value-invalid": [
    `SELECT COUNT(*) AS n FROM agent_stats_count WHERE NOT (${isCount("value")} AND ${isText("counter")}
      AND typeof(hour) = 'integer' AND typeof(session_id) = 'integer' AND typeof(key_id) = 'integer')`,
    `SELECT COUNT(*) AS n FROM agent_stats_past
      WHERE NOT (${isCount("value")} AND ${isText("counter")} AND typeof(key_id) = 'integer')`,
    `SELECT COUNT(*) AS n FROM agent_stats_key WHERE NOT (${isText("protocol")} AND ${isText("user_id")}
      AND ${isText("server")} AND ${isCount("tracked_since")})`,
  ],
  "key-unknown": [
    "SELECT COUNT(*) AS n FROM agent_stats_count WHERE key_id NOT IN (SELECT key_id FROM agent_stats_key)",
    "SELECT COUNT(*) AS n FROM agent_stats_past WHERE key_id NOT IN (SELECT key_id FROM agent_stats_key)",
  ],
  "session-unknown": [
    "SELECT COUNT(*) AS n FROM agent_stats_count WHERE session_id NOT IN (SELECT session_id FROM agent_stats_session)",
  ],
  "session-contradictory": [
    `SELECT COUNT(*) AS n FROM agent_stats_session WHERE NOT (
      ${isCount("started")} AND ${isCount("last_saved")} AND ${isCount("flush_every")} AND ${isCount("saves")}
      AND ${isCount("seen")} AND last_saved >= started AND folded IN (0, 1)
      AND (ended IS NULL OR (${isCount("ended")} AND ended >= started AND how IS NOT NULL))
      AND (folded = 0 OR how IS NOT NULL) AND (ended IS NOT NULL OR how IS NULL OR (how = 'killed' AND folded = 1)))`,
    `SELECT COUNT(*) AS n FROM agent_stats_session
      WHERE saves = 0 AND session_id IN (SELECT session_id FROM agent_stats_count)`,
  ],
  "past-too-small": [
    `SELECT COUNT(*) AS n FROM (
      SELECT key_id, counter, TOTAL(value) AS proven FROM agent_stats_count
      WHERE session_id IN (SELECT session_id FROM agent_stats_session WHERE folded = 1) GROUP BY key_id, counter
    ) LEFT JOIN agent_stats_past AS past USING (key_id, counter)
    WHERE proven > 0 AND COALESCE(past.value, 0) < MIN(proven, ${MAX})`,
  ],
};

/** What the numbers say of each other: findings that no checksum can make. */
export function findingsInMeaning(handle: SqliteHandle): Finding[] {
  return Object.entries(QUESTIONS).flatMap(([code, queries]) => {
    const count = queries.reduce((sum, query) => sum + numberOf(handle, query), 0);
    return count > 0 ? [finding(code as FindingCode, count)] : [];
  });
}

export interface Contents {
  readonly keys: number;
  readonly sessions: number;
}

export function contentsOf(handle: SqliteHandle): Contents {
  const rows = (table: string) => numberOf(handle, `SELECT COUNT(*) AS n FROM ${table}`);
  return { keys: rows("agent_stats_key"), sessions: rows("agent_stats_session") };
}

function numberOf(handle: SqliteHandle, query: string): number {
  return (handle.prepare(query).get([]) as { n: number }).n;
}

import { pruneAudit } from "./audit.ts";
import { dropClears } from "./clears.ts";
import type { Connection } from "./connection.ts";
import { NO_HOUR } from "./reads.ts";

const HOUR_MS = 3_600_000;

/**
 * Agents elsewhere can outlive their hosts, and go on counting from where they were: of as many as these, what was
 * counted before is never pruned away.
 */
const AGENTS_REMEMBERED = 100;

/** Sessions whose counts are in the past, and are asked for by nobody but history. */
const OVER = `(SELECT session_id FROM agent_stats_session WHERE folded = 1 AND (agent IS NULL OR agent NOT IN (
  SELECT agent FROM agent_stats_session WHERE agent IS NOT NULL
  GROUP BY agent ORDER BY MAX(session_id) DESC LIMIT ${AGENTS_REMEMBERED})))`;

/** Old hours, but for the last one of a session that may still save to it: what it saves is all of that hour. */
const OLD = `hour < ? AND hour <> ${NO_HOUR} AND NOT (
  session_id IN (SELECT session_id FROM agent_stats_session WHERE folded = 0) AND
  hour = (SELECT MAX(hour) FROM agent_stats_count AS own WHERE own.session_id = agent_stats_count.session_id))`;

/** Within a call: deletes history of before that hour. */
export function prune(db: Connection, beforeHour: number): void {
  db.run(`DELETE FROM agent_stats_count WHERE hour < ? AND session_id IN ${OVER}`, [beforeHour]);
  // Where the session's own sum is still needed, its old hours become one, which no timeline shows.
  db.run(
    `INSERT INTO agent_stats_count (session_id, hour, key_id, counter, value)
      SELECT session_id, ${NO_HOUR}, key_id, counter, SUM(value) FROM agent_stats_count
      WHERE ${OLD} GROUP BY session_id, key_id, counter
      ON CONFLICT (session_id, hour, key_id, counter) DO UPDATE SET value = value + excluded.value`,
    [beforeHour],
  );
  db.run(`DELETE FROM agent_stats_count WHERE ${OLD}`, [beforeHour]);
  db.run(`DELETE FROM agent_stats_session WHERE last_saved < ? AND session_id IN ${OVER}`, [beforeHour * HOUR_MS]);
  pruneAudit(db, beforeHour);
  dropClears(db);
}

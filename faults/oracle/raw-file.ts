import { DRIVERS, databaseClass, type openWithKey } from "./drivers.ts";
import { keyOf, type State } from "./story.ts";

type SqliteHandle = ReturnType<typeof openWithKey>;

/** Opens a file without encryption: for controls, and for what is to be found that way. */
export function openPlain(file: string): SqliteHandle {
  return new (databaseClass(DRIVERS[0] as (typeof DRIVERS)[number]))(file);
}

interface Row {
  readonly user: string;
  readonly server: string;
  readonly counter: string;
  readonly value: number;
}

/** What the tables say, in SQL of the campaign's own: past, and the sessions that are not folded into it. */
export function rawState(handle: SqliteHandle): State {
  const rows = handle
    .prepare(
      `SELECT user_id AS user, server, counter, SUM(value) AS value FROM (
        SELECT key_id, counter, value FROM agent_stats_past
        UNION ALL
        SELECT key_id, counter, value FROM agent_stats_count JOIN agent_stats_session USING (session_id) WHERE folded = 0
      ) JOIN agent_stats_key USING (key_id) GROUP BY user_id, server, counter`,
    )
    .all([]) as Row[];
  return new Map(rows.map(({ user, server, counter, value }) => [keyOf(user, server, counter), value]));
}

/** `ok`, or the first thing that SQLite finds wrong. */
export function integrityOf(handle: SqliteHandle): string {
  const row = handle.prepare("PRAGMA integrity_check(1)").get([]) as { integrity_check: string };
  return row.integrity_check;
}

import type { SqliteHandle } from "../handle.ts";
import { run } from "./migration.ts";

/** Schema 1: sessions, keys, counts, the past, tombstones, and the view with the RFC's columns. */
export function firstTables(handle: SqliteHandle, schema: string): void {
  run(handle, schema, TABLES);
  const set = handle.prepare(`INSERT INTO "${schema}".agent_stats_meta (name, value) VALUES (?, ?)`);
  set.run(["schema_version", 1]);
  set.run(["tracked_since", 0]);
  set.run(["erase_pending", 0]);
  // Only makes one database, and digests in it, differ from those of another.
  set.run(["salt", Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)]);
}

const TABLES = `
CREATE TABLE agent_stats_meta (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE agent_stats_session (
  session_id INTEGER PRIMARY KEY AUTOINCREMENT,
  started INTEGER NOT NULL,              -- all times in ms since 1970
  last_saved INTEGER NOT NULL,
  ended INTEGER,                         -- null: it runs, or ended without a goodbye
  how TEXT,                              -- close, exit, exception, SIGTERM, ..., killed
  flush_every INTEGER NOT NULL,          -- ms: the most that a kill can lose
  saves INTEGER NOT NULL DEFAULT 0,      -- number of the last save that was applied
  seen INTEGER NOT NULL,                 -- the last tombstone that it has heard of
  folded INTEGER NOT NULL DEFAULT 0,     -- 1: its sums are in agent_stats_past
  agent TEXT                             -- the session of an agent elsewhere that it counted
);

CREATE TABLE agent_stats_key (
  key_id INTEGER PRIMARY KEY,
  protocol TEXT NOT NULL,
  user_id TEXT NOT NULL,
  server TEXT NOT NULL,
  tracked_since INTEGER NOT NULL,
  UNIQUE (user_id, protocol, server)
);

CREATE TABLE agent_stats_count (         -- what a session counted in an hour
  session_id INTEGER NOT NULL,
  hour INTEGER NOT NULL,                 -- hours since 1970
  key_id INTEGER NOT NULL,
  counter TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (session_id, hour, key_id, counter)
) WITHOUT ROWID;

CREATE TABLE agent_stats_past (          -- all folded sessions
  key_id INTEGER NOT NULL,
  counter TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (key_id, counter)
) WITHOUT ROWID;

CREATE TABLE agent_stats_tombstone (     -- what was cleared, until no session is left that has not heard of it
  tombstone_id INTEGER PRIMARY KEY AUTOINCREMENT,
  what TEXT NOT NULL,                    -- delete, reset
  protocol TEXT,                         -- null: any
  user_id TEXT,
  server TEXT,
  digest TEXT                            -- in place of user_id, once only sessions taken for dead have not heard of it
);

CREATE VIEW agent_stats_sum AS
  SELECT key_id, counter, SUM(past) AS past, SUM(session) AS session FROM (
    SELECT key_id, counter, value AS past, 0 AS session FROM agent_stats_past
    UNION ALL
    SELECT key_id, counter, 0, value FROM agent_stats_count
      WHERE session_id IN (SELECT session_id FROM agent_stats_session WHERE folded = 0)
  ) GROUP BY key_id, counter;

CREATE VIEW agent_stats AS               -- the columns of the RFC's tables, for all four of its options
  WITH
    stats AS (
      SELECT protocol, user_id, server,
        json_group_object(counter, past) FILTER (WHERE past > 0) AS past,
        json_group_object(counter, session) FILTER (WHERE session > 0) AS session,
        json_group_object(counter, past + session) AS overall
      FROM agent_stats_key JOIN agent_stats_sum USING (key_id) GROUP BY key_id
    ),
    open AS (
      SELECT MIN(started) AS started, MAX(last_saved) AS saved FROM agent_stats_session WHERE folded = 0
    ),
    tracking AS (SELECT value AS since FROM agent_stats_meta WHERE name = 'tracked_since')
  SELECT
    1 AS agent_stats_id,
    (SELECT json_group_array(json_object('protocol', protocol, 'userId', user_id, 'server', server, 'stats', json(past)))
      FROM stats WHERE past <> '{}') AS past_stats,
    (SELECT json_group_array(json_object('protocol', protocol, 'userId', user_id, 'server', server, 'stats', json(session)))
      FROM stats WHERE session <> '{}' HAVING open.saved IS NOT NULL) AS session_stats,
    datetime(tracking.since / 1000, 'unixepoch') AS past_started_at,
    datetime(open.started / 1000, 'unixepoch') AS session_started_at,
    datetime(open.saved / 1000, 'unixepoch') AS session_updated_at,
    (SELECT json_group_array(json_object('protocol', protocol, 'userId', user_id, 'server', server, 'stats', json(overall)))
      FROM stats) AS agent_stats,
    datetime(tracking.since / 1000, 'unixepoch') AS started_tracking_at,
    datetime((SELECT MAX(last_saved) FROM agent_stats_session) / 1000, 'unixepoch') AS updated_at
  FROM open, tracking;
`;

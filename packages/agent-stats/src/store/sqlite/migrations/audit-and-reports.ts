import type { SqliteHandle } from "../handle.ts";
import { run } from "./migration.ts";

/**
 * Schema 2: who folded, deleted and reset what, without any name; and the keys of reports that were made. Only adds: a
 * process of the version before, which has the file open meanwhile, goes on reading and writing what it knows.
 */
export function auditAndReports(handle: SqliteHandle, schema: string): void {
  run(handle, schema, TABLES);
  auditUserTrigger(handle, schema);
}

const TABLES = `
CREATE TABLE agent_stats_audit (         -- one line for each session folded, and each deletion and reset
  audit_id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,                   -- ms since 1970
  what TEXT NOT NULL,                    -- fold, delete, anonymise, reset
  session_id INTEGER,                    -- whose process did it; null: a tool or the host itself
  folded INTEGER,                        -- the session that was folded
  scope TEXT                             -- which names were given, never the names: user, protocol+server, everything
);

CREATE TABLE agent_stats_report (
  report_id INTEGER PRIMARY KEY,
  made INTEGER NOT NULL,                 -- ms since 1970
  key BLOB NOT NULL,                     -- 32 bytes: what the pseudonyms in this report were made with
  case_id TEXT
);
`;

/** The trigger on a host's users, where one is installed: from here it says what it did, as everybody does. */
function auditUserTrigger(handle: SqliteHandle, schema: string): void {
  const named = `SELECT sql FROM "${schema}".sqlite_schema WHERE type = 'trigger' AND name = 'agent_stats_user_deleted'`;
  const trigger = handle.prepare(named).get([]) as { sql: string } | undefined;
  if (!trigger) return;
  const audited = trigger.sql
    .replace(/^CREATE TRIGGER \S+/, `CREATE TRIGGER "${schema}".agent_stats_user_deleted`)
    .replace(/END$/, `${AUDIT_DELETED_USER} END`);
  handle.exec(`DROP TRIGGER "${schema}".agent_stats_user_deleted; ${audited}`);
}

/** Within the trigger: nobody's session, as the host itself deleted the user. */
export const AUDIT_DELETED_USER = `INSERT INTO agent_stats_audit (at, what, scope)
        VALUES (CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), 'delete', 'user');`;

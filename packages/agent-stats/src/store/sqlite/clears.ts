import { createHmac } from "node:crypto";
import type { Scope } from "../../record/scope.ts";
import { kindOf } from "../audit.ts";
import type { Clear, Cleared, Clearer } from "../store.ts";
import { audit } from "./audit.ts";
import type { Connection } from "./connection.ts";
import { AUDIT_DELETED_USER } from "./migrations/audit-and-reports.ts";
import { cleared } from "./reads.ts";

/** Sums never grow past what a number holds exactly. */
const ADD_TO_PAST = `ON CONFLICT (key_id, counter) DO UPDATE SET value = MIN(value + excluded.value, ${Number.MAX_SAFE_INTEGER})`;

/** Keys that a scope covers: a parameter that is null covers all. */
const IN_SCOPE = "protocol = COALESCE(?, protocol) AND user_id = COALESCE(?, user_id) AND server = COALESCE(?, server)";

/** Within a call: adds what a session counted to the past. */
export function addToPast(db: Connection, session: number): void {
  db.run(
    `INSERT INTO agent_stats_past (key_id, counter, value)
      SELECT key_id, counter, SUM(value) FROM agent_stats_count WHERE session_id = ? GROUP BY key_id, counter
      ${ADD_TO_PAST}`,
    [session],
  );
}

/**
 * Within a call: deletes what the scope covers, leaves a tombstone for sessions that have not heard of it, and a line
 * that says so.
 */
export function clear(db: Connection, what: Clear["what"] | "anonymise", scope: Scope, by: Clearer): Cleared {
  audit(db, { session: by.session, at: by.at, what, of: kindOf(scope) });
  const { protocol = null, userId = null, server = null } = scope;
  const covered = `SELECT key_id FROM agent_stats_key WHERE ${IN_SCOPE}`;
  for (const table of ["agent_stats_count", "agent_stats_past", "agent_stats_key"]) {
    db.run(`DELETE FROM ${table} WHERE key_id IN (${covered})`, [protocol, userId, server]);
  }
  const values = [what === "reset" ? what : "delete", protocol, userId, server];
  db.run("INSERT INTO agent_stats_tombstone (what, protocol, user_id, server) VALUES (?, ?, ?, ?)", values);
  const news = cleared(db, by);
  const newest = news.clears.at(-1)?.clear ?? by.seen;
  if (by.session !== null) {
    db.run("UPDATE agent_stats_session SET seen = ? WHERE session_id = ?", [newest, by.session]);
  }
  dropClears(db);
  db.setMeta("erase_pending", 1);
  return news;
}

/** Within a call: moves a user's sums to the one row of its protocol that has neither user nor server. */
export function anonymise(db: Connection, userId: string, at: number): void {
  db.run(
    `INSERT INTO agent_stats_key (user_id, protocol, server, tracked_since)
      SELECT DISTINCT '', protocol, '', ? FROM agent_stats_key WHERE user_id = ?
      ON CONFLICT (user_id, protocol, server) DO NOTHING`,
    [at, userId],
  );
  db.run(
    `INSERT INTO agent_stats_past (key_id, counter, value)
      SELECT nobody.key_id, counter, CAST(MIN(TOTAL(value), ${Number.MAX_SAFE_INTEGER}) AS INTEGER) FROM (
        SELECT key_id, counter, value FROM agent_stats_past
        UNION ALL
        SELECT key_id, counter, value FROM agent_stats_count
          WHERE session_id IN (SELECT session_id FROM agent_stats_session WHERE folded = 0)
      ) AS sums
      JOIN agent_stats_key AS user ON user.key_id = sums.key_id AND user.user_id = ?
      JOIN agent_stats_key AS nobody ON nobody.user_id = '' AND nobody.protocol = user.protocol
      GROUP BY nobody.key_id, counter
      ${ADD_TO_PAST}`,
    [userId],
  );
}

/**
 * Within a call: forgets what every session has heard of that never said goodbye. Where only sessions are left that are
 * taken for dead, resets are forgotten, and of a deleted user no more stays than a digest.
 */
export function dropClears(db: Connection): void {
  const all = Number.MAX_SAFE_INTEGER;
  const heardBy = (which: string) =>
    db.number(`SELECT COALESCE(MIN(seen), ${all}) AS n FROM agent_stats_session WHERE ended IS NULL ${which}`);
  const living = heardBy("AND folded = 0");
  db.run("DELETE FROM agent_stats_tombstone WHERE tombstone_id <= ?", [heardBy("")]);
  db.run("DELETE FROM agent_stats_tombstone WHERE tombstone_id <= ? AND what = 'reset'", [living]);
  const named = db.all<{ id: number; userId: string }>(
    `SELECT tombstone_id AS id, user_id AS userId FROM agent_stats_tombstone
      WHERE tombstone_id <= ? AND user_id IS NOT NULL AND what = 'delete'`,
    [living],
  );
  const seal = "UPDATE agent_stats_tombstone SET user_id = NULL, digest = ? WHERE tombstone_id = ?";
  for (const { id, userId } of named) db.run(seal, [digestOf(db, userId), id]);
}

/** Within a call: which of the users were deleted after that tombstone. */
export function deletedAmong(db: Connection, users: readonly string[], seen: number): string[] {
  const rows = db.all<{ userId: string | null; digest: string | null }>(
    "SELECT user_id AS userId, digest FROM agent_stats_tombstone WHERE what = 'delete' AND tombstone_id > ?",
    [seen],
  );
  const deleted = new Set(rows.map(({ userId, digest }) => digest ?? digestOf(db, userId as string)));
  return users.filter((userId) => deleted.has(digestOf(db, userId)));
}

function digestOf(db: Connection, userId: string): string {
  return createHmac("sha256", String(db.meta("salt")))
    .update(userId)
    .digest("hex");
}

/** A trigger that deletes a user's statistics with the user's row. Inside it, names are those of its own file. */
export function userTrigger(schema: string, table: string, column: string): string {
  const id = `OLD."${column}"`;
  // Where a column has no type, drivers store the number 1 as 1.0.
  const whole = `typeof(${id}) = 'real' AND ${id} = CAST(${id} AS INTEGER)`;
  const user = `CAST(CASE WHEN ${whole} THEN CAST(${id} AS INTEGER) ELSE ${id} END AS TEXT)`;
  const keys = `(SELECT key_id FROM agent_stats_key WHERE user_id = ${user})`;
  return `
    CREATE TRIGGER IF NOT EXISTS "${schema}".agent_stats_user_deleted AFTER DELETE ON "${table}" BEGIN
      DELETE FROM agent_stats_count WHERE key_id IN ${keys};
      DELETE FROM agent_stats_past WHERE key_id IN ${keys};
      DELETE FROM agent_stats_key WHERE user_id = ${user};
      INSERT INTO agent_stats_tombstone (what, user_id) VALUES ('delete', ${user});
      UPDATE agent_stats_meta SET value = 1 WHERE name = 'erase_pending';
      ${AUDIT_DELETED_USER}
    END`;
}

import type { AuditRow, ScopeKind } from "../store.ts";
import type { Connection } from "./connection.ts";

/** The schema that brought the table. A reader may look at a file that no writer has brought there yet. */
const SINCE_SCHEMA = 2;

const HOUR_MS = 3_600_000;

/**
 * Within a call: says what was done, in the transaction that does it. What is asked for again in the same words, as its
 * answer was not waited for, is told once.
 */
export function audit(db: Connection, { at, session, what, of }: AuditRow): void {
  const [folded, scope] = typeof of === "number" ? [of, null] : [null, of];
  const words = [at, what, session, folded, scope];
  db.run(
    `INSERT INTO agent_stats_audit (at, what, session_id, folded, scope) SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS
      (SELECT 1 FROM agent_stats_audit WHERE at = ? AND what = ? AND session_id IS ? AND folded IS ? AND scope IS ?)`,
    [...words, ...words],
  );
}

export function readAudit(db: Connection): AuditRow[] {
  type Row = { at: number; what: AuditRow["what"]; session: number | null; folded: number | null; scope: ScopeKind };
  const lines = "SELECT at, what, session_id AS session, folded, scope FROM agent_stats_audit ORDER BY audit_id";
  return db.use(() => {
    if (db.meta("schema_version") < SINCE_SCHEMA) return [];
    return db.all<Row>(lines).map(({ folded, scope, ...row }) => ({ ...row, of: folded ?? scope }) as AuditRow);
  });
}

/** Within a call: lines are history, and go with it. */
export function pruneAudit(db: Connection, beforeHour: number): void {
  db.run("DELETE FROM agent_stats_audit WHERE at < ?", [beforeHour * HOUR_MS]);
}

import type { NewReportKey, ReportKey } from "../store.ts";
import type { Connection } from "./connection.ts";

/** The schema that brought the table. A reader may look at a file that no writer has brought there yet. */
const SINCE_SCHEMA = 2;

/** Within a call. */
export function addReportKey(db: Connection, { made, key, caseId }: NewReportKey): number {
  db.run("INSERT INTO agent_stats_report (made, key, case_id) VALUES (?, ?, ?)", [made, key, caseId]);
  return db.number("SELECT last_insert_rowid() AS n");
}

export function readReportKeys(db: Connection): ReportKey[] {
  const keys = "SELECT report_id AS report, made, key, case_id AS caseId FROM agent_stats_report ORDER BY report_id";
  return db.use(() => {
    if (db.meta("schema_version") < SINCE_SCHEMA) return [];
    // Drivers give their own kind of bytes, some over memory that they use for more.
    return db.all<ReportKey>(keys).map((row) => ({ ...row, key: Uint8Array.from(row.key) }));
  });
}

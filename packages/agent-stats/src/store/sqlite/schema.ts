import { StatsError } from "../errors.ts";
import { immediately, type SqliteHandle } from "./handle.ts";
import { auditAndReports } from "./migrations/audit-and-reports.ts";
import { firstTables } from "./migrations/first-tables.ts";
import type { Migration } from "./migrations/migration.ts";

/** From each version to the next, beginning with a database without statistics. What is released is never changed. */
const MIGRATIONS: readonly Migration[] = [firstTables, auditAndReports];

/** The version that this library writes. A file with a higher one is refused untouched. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The schema's version in this database; 0 where there are no statistics yet. */
export function schemaVersion(handle: SqliteHandle, schema: string): number {
  const table = handle.prepare(`SELECT 1 AS n FROM "${schema}".sqlite_schema WHERE name = 'agent_stats_meta'`).get([]);
  if (table === undefined) return 0;
  const row = handle.prepare(`SELECT value FROM "${schema}".agent_stats_meta WHERE name = 'schema_version'`).get([]);
  return (row as { value: number } | undefined)?.value ?? 0;
}

/** @throws StatsError `STATS_NEWER_SCHEMA` */
export function assertKnownSchema(version: number): void {
  if (version > SCHEMA_VERSION) {
    throw new StatsError(
      "STATS_NEWER_SCHEMA",
      `A later version of agent-stats wrote this database (schema ${version}, this version knows ${SCHEMA_VERSION}): update agent-stats; nothing was changed.`,
    );
  }
}

/** Brings the database to this version, in one transaction, if it is not there. Safe when several do it at once. */
export function createSchema(handle: SqliteHandle, schema: string): void {
  const version = schemaVersion(handle, schema);
  assertKnownSchema(version);
  if (version === SCHEMA_VERSION) return;
  immediately(handle, () => {
    // Another process may have been faster, and may be a later version of this library.
    const before = schemaVersion(handle, schema);
    assertKnownSchema(before);
    for (const migrate of MIGRATIONS.slice(before)) migrate(handle, schema);
    const reached = `UPDATE "${schema}".agent_stats_meta SET value = ? WHERE name = 'schema_version'`;
    handle.prepare(reached).run([SCHEMA_VERSION]);
  });
}

import type { DriverName } from "agent-stats/sqlcipher";
import { openWithKey } from "./drivers.ts";

/** Makes a file what the first release would have written: later schemas only added tables. */
export function backToSchema1(file: string, driver: DriverName): void {
  const handle = openWithKey(file, driver);
  try {
    handle.exec(`BEGIN IMMEDIATE;
      DROP TABLE IF EXISTS agent_stats_audit;
      DROP TABLE IF EXISTS agent_stats_report;
      UPDATE agent_stats_meta SET value = 1 WHERE name = 'schema_version';
      COMMIT`);
  } finally {
    handle.close();
  }
}

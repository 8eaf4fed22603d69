import type { DriverName } from "agent-stats/sqlcipher";

/** What a host of the secrets trial is started with: nothing that is secret. */
export interface Order {
  readonly scenario: string;
  readonly file: string;
  readonly driver: DriverName;
  readonly thread: "worker" | "same";
}

/** What the process of the upgrade trial is told, and tells. */
import type { ServersStats, TimelineEntry } from "agent-stats";
import type { DriverName } from "agent-stats/sqlcipher";
import { serverOf, userOf } from "../../oracle/names.ts";

/** The key of the committed fixtures, which is no secret: their READMEs tell it. */
export const KEY = "15".repeat(32);

export interface LifeOrder {
  readonly where: { readonly file: string; readonly driver: DriverName; readonly thread: "worker" | "same" };
  /** `own`: the library's file; `past`: the same, started from the past; `host`: in a host's open handle. */
  readonly wiring: "own" | "past" | "host";
  /** The counters that each protocol has. */
  readonly counters: readonly string[];
  /** Whether it counts {@link COUNTS}. */
  readonly counts: boolean;
}

/** What a life said: at the start, and when it saved. */
export interface Told {
  readonly problem: string | null;
  readonly flushed: string | null;
}

export interface Read extends Pick<ServersStats, "servers" | "sessions"> {
  readonly problem: string | null;
  readonly hours: readonly TimelineEntry[];
}

/** The counters of the fixtures; the last was of no protocol of the version that wrote it. */
export const ALL_COUNTERS = ["sent", "attempts", "errors", "fromTheFuture"] as const;

/** What a life counts: beside and on top of what the fixtures hold. What is new carries the mark that is searched for. */
export const COUNTS = [
  { protocol: "smp", userId: "1", server: "smp://a.example", counter: "sent", n: 1_000_003 },
  { protocol: "smp", userId: userOf(77), server: serverOf(77), counter: "sent", n: 13 },
] as const;

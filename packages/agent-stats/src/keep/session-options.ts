import type { Recorder } from "../record/recorder.ts";
import type { Scope } from "../record/scope.ts";
import type { SaveBatch, StatsStore } from "../store/store.ts";

export interface SessionOptions {
  readonly recorder: Recorder;
  readonly flushEveryMs: number;
  /** True: what was counted before this session is loaded into the recorder. */
  readonly startFromPast: boolean;
  readonly keepHistoryDays: number;
  /** How many cells one save may have. */
  readonly largestBatch: number;
  /** The store has a thread of its own, which saves when this one is stuck. */
  readonly announce?: StatsStore["announce"];
  /** Told of what was reset, here or by others. */
  readonly onReset: (scope: Scope) => void;
}

export interface OpenSession {
  readonly id: number;
  readonly startedAt: number;
  /** The number of the last batch that was collected. */
  saves: number;
}

/** What a keeper could not save, and the session that it belongs to. */
export interface Left extends Pick<SaveBatch, "session" | "seen"> {
  readonly batches: readonly SaveBatch[];
  readonly startedAt: number;
}

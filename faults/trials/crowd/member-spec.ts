import type { DriverName } from "agent-stats/sqlcipher";
import type { Place } from "../../child/spec.ts";

/** One member of the crowd: a process, or a thread in one. */
export interface MemberSpec {
  readonly file: string;
  readonly ledger: string;
  readonly driver: DriverName;
  readonly place: Place;
  readonly seed: number;
  /** Never used by another life: its servers and its own users carry it. */
  readonly life: number;
  readonly role: "count" | "read" | "bare";
  /** The database's thread saves for this one when it is late, each row of a moment of its own. */
  readonly standIn: boolean;
  /** Lives that others began, whose users this one may delete. */
  readonly others: readonly number[];
  /** Further members, each in a thread of this process. */
  readonly threads: readonly MemberSpec[];
  /** How long a writer is waited for, where the handle is the host's. */
  readonly busyTimeoutMs: number;
}

/** How often a member counts two counters between two writes to its ledger. */
export const BATCH = 32;
export const COUNTS_A_BATCH = 2 * BATCH;
/** How many of these it makes in one turn, which is to be far shorter than a stall, and how long it rests at most. */
export const BURST = [16, 64] as const;
export const PAUSE_MS = 2;

/** Users whom every life counts, and nobody deletes. */
export const SHARED_USERS: readonly number[] = [1, 2, 3];
const DOOMED_OF_A_LIFE = 3;

/** Users who are counted by that life only, and may be deleted by anybody. */
export const doomedOf = (life: number) => Array.from({ length: DOOMED_OF_A_LIFE }, (_, n) => 1_000 + life * 10 + n);

/** The server that a life counts, and the one that it resets from time to time. */
export const serverOfLife = (life: number) => 10 + life * 2;
export const resetServerOfLife = (life: number) => 11 + life * 2;

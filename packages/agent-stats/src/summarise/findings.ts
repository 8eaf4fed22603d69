import type { Protocol } from "../record/protocol.ts";
import type { ServersStats } from "./servers-stats.ts";
import type { Session } from "./sessions.ts";
import type { TimelineEntry } from "./timeline.ts";

/** What is looked at: what `getServersStats`, `getSessions` and `getTimeline` give. */
export interface Diagnosable {
  readonly servers: ServersStats;
  readonly sessions: readonly Session[];
  /** By hour, as far back as history goes: what has a date there, has one in the findings. */
  readonly timeline: readonly TimelineEntry[];
  readonly now: Date;
  /** The app's own protocols, so that their errors need not be guessed from the names of counters. Default: none. */
  readonly protocols?: readonly Protocol[];
  /** What was over before that is not told, in milliseconds. Default: 30 days. What goes on is told whenever it began. */
  readonly lookBackMs?: number;
}

/** Out of so many outcomes of an activity, so many were failures. */
export interface FailureNumbers {
  readonly failed: number;
  /** Successes and failures together. */
  readonly outcomes: number;
}

/** A reason, the counter that counts it, and how often it was. */
export interface FailureReason {
  /** `AUTH`, `QUOTA`, `EXPIRED` …; `OTHER` where the counter names none. */
  readonly reason: string;
  readonly counter: string;
  /** Counters of this list whose cases this one counts too. */
  readonly includes: readonly string[];
  /** Without what is counted by those that it includes. */
  readonly count: number;
}

interface Weighed {
  /** 0 to 100: the higher, the sooner somebody should read it. Findings are sorted by it. */
  readonly weight: number;
}

interface OfActivity extends Weighed {
  readonly protocol: string;
  /** `send`, `receive`, `subscribe`, `connect` …; of a protocol that nobody knows, the word that its counters begin with. */
  readonly activity: string;
}

/** Too much of one activity failed at one server. */
export interface FailingFinding extends OfActivity, FailureNumbers {
  readonly kind: "failing";
  readonly server: string;
  /** When it began, to the hour (or the day, where the timeline was read by day). */
  readonly since: Date;
  /** True where history, or counting, begins with it: it may be older. */
  readonly sinceMayBeEarlier: boolean;
  /** The last hour in which it failed; null while it goes on, as far as was counted. */
  readonly until: Date | null;
  /** The most frequent first. */
  readonly reasons: readonly FailureReason[];
  /** Everyone with an outcome meanwhile, most failures first. */
  readonly users: readonly ({ readonly userId: string } & FailureNumbers)[];
  /** The other servers with outcomes of this activity meanwhile, and how many of them fail too. */
  readonly others: { readonly servers: number; readonly failing: number };
}

/** Too much of one activity failed nearly everywhere at once: the network of this device, most often. */
export interface FailingEverywhereFinding extends OfActivity, FailureNumbers {
  readonly kind: "failing-everywhere";
  /** Those that fail, most failures first. */
  readonly servers: readonly string[];
  /** Of how many with outcomes meanwhile. */
  readonly ofServers: number;
  readonly since: Date;
  readonly sinceMayBeEarlier: boolean;
  readonly until: Date | null;
  readonly reasons: readonly FailureReason[];
}

/** It is tried, and neither succeeds nor is refused: nobody answers. */
export interface FruitlessFinding extends OfActivity {
  readonly kind: "fruitless";
  /** Most attempts first. */
  readonly servers: readonly string[];
  /** Of how many at which it was tried meanwhile. */
  readonly ofServers: number;
  readonly attempts: number;
  readonly since: Date;
  /** Whether it ever succeeded at one of them, as far as history goes. */
  readonly everSucceeded: boolean;
}

/** What had been well broke again and again: open connections that were lost. */
export interface LosingFinding extends OfActivity {
  readonly kind: "losing";
  /** Most losses first. */
  readonly servers: readonly string[];
  readonly losses: number;
  /** In how many hours they were; hours in which nothing was counted are left out. */
  readonly hours: number;
  readonly since: Date;
  /** The last hour in which it did; null while it goes on. */
  readonly until: Date | null;
}

/** Much of what a server delivers was delivered before: acknowledgements do not reach it. */
export interface DuplicatesFinding extends OfActivity {
  readonly kind: "duplicates";
  readonly server: string;
  readonly duplicates: number;
  readonly received: number;
  readonly since: Date;
  readonly until: Date | null;
}

/** Runs of the agent that did not end as they should. */
export interface CrashesFinding extends Weighed {
  readonly kind: "crashes";
  /** Ended without a goodbye: killed, out of memory, power cut. */
  readonly killed: number;
  readonly exceptions: number;
  readonly rejections: number;
  /** Of so many runs in the same time. */
  readonly ofSessions: number;
  /** What those that were killed can have lost together: so much of counting, and one save each. */
  readonly canHaveLostMs: number;
  /** When the first and the last of them was last heard of. */
  readonly first: Date;
  readonly last: Date;
  /** Their numbers, oldest first. */
  readonly sessions: readonly number[];
}

/** The clock of this machine jumped, or is wrong now. */
export interface ClockFinding extends Weighed {
  readonly kind: "clock";
  /** Sessions that were ended because the clock went back, and went on as another. */
  readonly setBack: number;
  /** Sessions that began, or saved, later than it is now. */
  readonly inFuture: number;
  /** When it was seen last; by the clock that is in doubt. */
  readonly last: Date;
}

/** The agent runs, and has saved nothing for long: it is idle, or hangs. */
export interface StaleFinding extends Weighed {
  readonly kind: "stale";
  readonly lastSaved: Date;
  readonly running: number;
}

/** A deletion or a reset is done, and old pages may still hold what was deleted: someone was reading. */
export interface ErasurePendingFinding extends Weighed {
  readonly kind: "erasure-pending";
}

/** Calls of the app that counted nothing: a counter that is not defined, a value that is no count. */
export interface RejectedFinding extends Weighed {
  readonly kind: "rejected";
  readonly calls: number;
  /** By reason, as in `ServersStats`. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** Something that is wrong, with the numbers behind it. `tell` makes the sentence. */
export type Finding =
  | FailingFinding
  | FailingEverywhereFinding
  | FruitlessFinding
  | LosingFinding
  | DuplicatesFinding
  | CrashesFinding
  | ClockFinding
  | StaleFinding
  | ErasurePendingFinding
  | RejectedFinding;

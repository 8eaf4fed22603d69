/** What every trial of the campaign is to the one who runs it. */

export type Scale = "small" | "full";

/** One promise under attack. Its file says in its first lines what is done to the library, and by what it is judged. */
export interface Trial {
  /** The key of its line in `--json`. */
  readonly name: string;
  /** One sentence for the table: what is done. */
  readonly what: string;
  /** What is counted: `kills`, `states`, `images`. */
  readonly unit: string;
  /** How many must have run before the promise is said to hold: a full run of fewer has failed. */
  readonly atLeast: number;
  /**
   * Its folder may be in memory: what the disk does is replayed there, made to fail, or plays no part. Where a trial
   * strikes at moments, a disk that takes its time gives it more of them.
   */
  readonly inMemory?: true;
  /** How many of them each scale runs: full no fewer than `atLeast`. */
  readonly scale: Readonly<Record<Scale, number>>;
  run(context: TrialContext): Promise<TrialOutcome>;
}

export interface TrialContext {
  /** How many units to run: `scale` of the trial, or what `--count` says. */
  readonly count: number;
  /** Everything random is drawn from this, so that a failure can be repeated by `--only NAME --seed N`. */
  readonly seed: number;
  /** A folder of the trial's own; it is searched for canaries and removed when the trial is over. */
  readonly folder: string;
  /** How many trials of a kind may run at once on this machine. */
  readonly parallel: number;
  /** Called with how many units are done, as often as one likes. */
  progress(done: number): void;
}

export interface TrialOutcome {
  /** How many units ran. */
  readonly ran: number;
  /** What was seen, for the table: `{ corrupt: 0, doubled: 0, acknowledgedLost: 0, counts: 1200345 }`. */
  readonly seen: Readonly<Record<string, number>>;
  /** The same attack with the mechanism off: each must bite, or the trial proves nothing. */
  readonly controls: readonly Control[];
  /** Empty when the promise held. At most the first twenty. */
  readonly failures: readonly Failure[];
  /** Why part or all of it did not run here: a compiler is missing, a driver cannot run on this Node.js. */
  readonly skipped?: string;
}

export interface Control {
  /** What was switched off: `the session's lock`, `a save at each interval`. */
  readonly without: string;
  readonly bites: boolean;
  /** What was seen then. */
  readonly seen: Readonly<Record<string, number>>;
}

export interface Failure {
  /** Repeats this very unit, */
  readonly seed: number;
  /** together with so many: it is the last of them. Default: 1. */
  readonly count?: number;
  /** One sentence: what was expected and what was found. */
  readonly what: string;
}

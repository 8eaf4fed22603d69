/** Numbers by counter name. Counters that are zero are left out. */
export type Counters = Readonly<Record<string, number>>;

export interface KeyRow {
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  /** When this key was first counted, or first again after a reset, ms since 1970. */
  readonly trackedSince: number;
}

export interface KeySums extends KeyRow {
  /** All folded sessions. */
  readonly past: Counters;
  /** Sessions that are not folded, without the one left out. */
  readonly open: Counters;
}

export interface CountedRow {
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  readonly counter: string;
  readonly value: number;
}

export interface SessionSumRow extends CountedRow {
  readonly session: number;
}

/** What one session counted of one key in one hour, or a part of that. */
export interface HourRow {
  /** Hours since 1970. */
  readonly hour: number;
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  readonly counters: Counters;
}

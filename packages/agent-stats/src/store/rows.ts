export interface KeyRow {
  readonly key: number;
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  /** When this key was first counted, or first again after a reset, ms since 1970. */
  readonly trackedSince: number;
}

export interface SumRow {
  readonly key: number;
  readonly counter: string;
  /** All folded sessions. */
  readonly past: number;
  /** Sessions that are not folded, without the one left out. */
  readonly open: number;
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

export interface HourRow extends CountedRow {
  /** Hours since 1970. */
  readonly hour: number;
}

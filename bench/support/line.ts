/** The lines of the table, in its order. */
export const LINE_NAMES = [
  "add",
  "find",
  "save",
  "day",
  "pause",
  "start",
  "read",
  "share",
  "space",
  "size",
  "erase",
] as const;

export type LineName = (typeof LINE_NAMES)[number];

/** What one line of the table found: a headline, and the figures that it rests on. */
export interface LineResult {
  /** What was done, in a sentence or two: the load, the rounds, what the numbers mean. */
  readonly measured: string;
  readonly figures: readonly Figure[];
  readonly growth?: readonly Growth[];
}

/** One number beside what it is compared with, both from the same run. */
export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  readonly figure: number;
  /** What it is compared with; null where there is nothing to compare with. */
  readonly baseline: number | null;
  readonly against: string | null;
  readonly target: Target | null;
  /** Why there is no number, or what to know of it. */
  readonly note?: string;
}

export type Unit = "ns" | "µs" | "ms" | "bytes" | "x";

/** What must be reached: of the figure itself, of its ratio to the baseline, or of the difference. */
export interface Target {
  readonly of: "figure" | "ratio" | "difference";
  readonly atMost: number;
}

/** A plot: the same measure at growing numbers of keys. */
export interface Growth {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  readonly keys: readonly number[];
  readonly series: readonly {
    readonly name: string;
    readonly ours: boolean;
    readonly values: readonly (number | null)[];
  }[];
}

export function ratioOf({ figure, baseline }: Figure): number | null {
  return baseline === null || baseline === 0 ? null : figure / baseline;
}

/** Whether the target is reached; null where there is none. */
export function isReached(figure: Figure): boolean | null {
  const { target, baseline } = figure;
  if (target === null) return null;
  if (target.of === "figure") return figure.figure <= target.atMost;
  if (target.of === "difference") return figure.figure - (baseline ?? 0) <= target.atMost;
  const ratio = ratioOf(figure);
  return ratio !== null && ratio <= target.atMost;
}

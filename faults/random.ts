/** Random numbers that can be drawn again: everything by chance in a trial comes from its seed. */
export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** A whole number, `from` to `to`, both included. */
  whole(from: number, to: number): number;
  /** One of these, each as likely. */
  pick<T>(from: readonly T[]): T;
  /** True so often in a hundred. */
  percent(chance: number): boolean;
}

const SEEDS = 2 ** 32;

/** Neighbouring seeds give unlike numbers: units of a trial are seeded one after another. */
export function randomOf(seed: number): Random {
  let state = mixed(seed);
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / SEEDS;
  };
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    whole,
    pick: <T>(from: readonly T[]) => from[whole(0, from.length - 1)] as T,
    percent: (chance) => next() * 100 < chance,
  };
}

/** The seed of the nth unit of a trial. The first has the trial's own: `--seed` of a failed unit repeats that unit. */
export function seedOfUnit(seed: number, n: number): number {
  return (seed + n) % SEEDS;
}

/** A seed for a campaign that was given none. */
export function anySeed(): number {
  return Math.floor(Math.random() * SEEDS);
}

function mixed(seed: number): number {
  let h = seed | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

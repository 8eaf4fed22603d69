import { performance } from "node:perf_hooks";
import { measure } from "mitata";

/** Where a number is only a point of a plot. */
export const FEW_ROUNDS = 3;
/** Rounds of all, one after another, so that whatever else the machine does meets each of them alike. */
const ROUNDS = 7;
const CPU_NS_A_ROUND = 60e6;

/**
 * The time of one operation of each, in ns: the median over rounds that take turns. Each body does `operations` of
 * them, and returns something that depends on them, so that none can be optimised away.
 */
export async function nanoseconds<N extends string>(
  bodies: Readonly<Record<N, () => unknown>>,
  operations: number,
  rounds: number = ROUNDS,
): Promise<Record<N, number>> {
  const names = Object.keys(bodies) as N[];
  const found = new Map<N, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const { p50 } = await measure(bodies[name], { min_cpu_time: CPU_NS_A_ROUND, batch_samples: 64 });
      found.get(name)?.push(p50 / operations);
    }
  }
  return Object.fromEntries([...found].map(([name, values]) => [name, median(values)])) as Record<N, number>;
}

/** Runs each in turn, that many rounds; the first round only warms up. What each round found, by name. */
export async function inTurns<N extends string, T>(
  rounds: number,
  bodies: Readonly<Record<N, (round: number) => T | Promise<T>>>,
): Promise<Record<N, T[]>> {
  const names = Object.keys(bodies) as N[];
  const found = new Map<N, T[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const value = await bodies[name](round);
      if (round > 0) found.get(name)?.push(value);
    }
  }
  return Object.fromEntries(found) as Record<N, T[]>;
}

/** How long this thread worked while `body` was under way, and how long that took, in ms. */
export async function timed(
  body: () => Promise<unknown>,
): Promise<{ readonly mainMs: number; readonly wallMs: number }> {
  // From a fresh turn of the loop: what went before is not to be counted.
  await new Promise((resolve) => setImmediate(resolve));
  const before = performance.eventLoopUtilization();
  const begun = performance.now();
  await body();
  const wallMs = performance.now() - begun;
  return { mainMs: performance.eventLoopUtilization(before).active, wallMs };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which that share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** 0 to `count` - 1 in an order that is random, and the same in every run with that seed. */
export function shuffled(count: number, seed = count): Int32Array {
  const random = randomOf(seed);
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

/** Random numbers from 0 to 1 that are the same in every run (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

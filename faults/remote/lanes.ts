import { inParallel } from "../parallel.ts";
import { seedOfUnit } from "../random.ts";
import type { Failure, TrialContext } from "../trial.ts";
import type { Remote } from "./remote.ts";

/** What every unit found, and what broke on the way. */
export interface Ran<Seen> {
  readonly seen: readonly { readonly seed: number; readonly seen: Seen }[];
  readonly failures: readonly Failure[];
}

export interface Lanes<L extends readonly Remote[], Seen> {
  /** The processes that the units of a lane share, one after another. */
  start(lane: number): L;
  unit(processes: L, seed: number): Promise<Seen>;
}

/** Runs each unit in one of some lanes, each with processes of its own: where one dies or hangs, the next begins anew. */
export async function inLanes<L extends readonly Remote[], Seen>(
  { count, seed, parallel, progress }: TrialContext,
  { start, unit }: Lanes<L, Seen>,
): Promise<Ran<Seen>> {
  const free = Array.from({ length: Math.max(1, Math.min(parallel, count)) }, (_, lane) => lane);
  const running = new Map<number, L>();
  const seen: { seed: number; seen: Seen }[] = [];
  const failures: Failure[] = [];
  const units = Array.from({ length: count }, (_, n) => seedOfUnit(seed, n));
  await inParallel(units, free.length, async (each) => {
    const lane = free.pop() as number;
    const processes = running.get(lane) ?? start(lane);
    running.set(lane, processes);
    try {
      seen.push({ seed: each, seen: await unit(processes, each) });
    } catch (error) {
      failures.push({ seed: each, what: `${error}` });
      await Promise.all(processes.map((process) => process.kill()));
      running.delete(lane);
    }
    free.push(lane);
    progress(seen.length);
  });
  await Promise.all([...running.values()].flatMap((processes) => processes.map((process) => process.end())));
  return { seen, failures };
}

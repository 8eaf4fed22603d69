/** For tests of the keeper: a store that tells what it is asked, and that fails or hangs on demand. */
import { StatsError, type StatsErrorCode } from "../store/errors.ts";
import { memoryStore } from "../store/memory.ts";
import type { KeyOfRow, SaveBatch, StatsStore } from "../store/store.ts";

/** One save, readable: `user server counter` → what the session counted of it in that hour. */
export interface WatchedSave {
  readonly at: number;
  readonly hour: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface Watched {
  readonly store: StatsStore;
  /** The names of all calls, in order. */
  readonly calls: string[];
  /** When each call was made, by the clock that timers run by. */
  readonly times: number[];
  /** Every batch that reached the store, also those that failed there. */
  readonly saves: WatchedSave[];
  /** How many calls were ever in the store at once. */
  mostAtOnce: number;
  /** Every call fails so: before it did anything, or after it did it all. */
  fails: { readonly code: StatsErrorCode; readonly when: "before" | "after" } | null;
  /** Calls wait for this before they are made. */
  until: Promise<unknown> | null;
  /** The same for their answers. */
  answersUntil: Promise<unknown> | null;
}

export function watched(inner: StatsStore = memoryStore()): Watched {
  const keys = new Map<number, KeyOfRow>();
  let inside = 0;
  const call = async (name: string, method: (...args: unknown[]) => Promise<unknown>, args: unknown[]) => {
    const { fails } = watch;
    watch.calls.push(name);
    watch.times.push(performance.now());
    inside += 1;
    watch.mostAtOnce = Math.max(watch.mostAtOnce, inside);
    try {
      await watch.until;
      if (name === "save") watch.saves.push(readable(args[0] as SaveBatch, keys));
      const broken = fails && new StatsError(fails.code, "It fails on demand.");
      if (broken && fails.when === "before") throw broken;
      const answer = await method(...args);
      await watch.answersUntil;
      if (broken) throw broken;
      return answer;
    } finally {
      inside -= 1;
    }
  };
  const methods = Object.entries(inner).map(([name, method]) => [
    name,
    typeof method === "function" && name !== "listen"
      ? (...args: unknown[]) => call(name, method as (...args: unknown[]) => Promise<unknown>, args)
      : method,
  ]);
  const watch: Watched = {
    store: Object.fromEntries(methods) as StatsStore,
    calls: [],
    times: [],
    saves: [],
    mostAtOnce: 0,
    fails: null,
    until: null,
    answersUntil: null,
  };
  return watch;
}

function readable({ at, hour, keys: told, counters, cells }: SaveBatch, keys: Map<number, KeyOfRow>): WatchedSave {
  for (const key of told) keys.set(key[0], key);
  const counts: Record<string, number> = {};
  for (let i = 0; i < cells.length; i += 3) {
    const [, , user, server] = keys.get(cells[i] as number) as KeyOfRow;
    counts[`${user} ${server} ${counters[cells[i + 1] as number]}`] = cells[i + 2] as number;
  }
  return { at, hour, counts };
}

/** A promise, and what resolves it. */
export function gate(): { readonly open: Promise<void>; pass(): void } {
  let pass = () => {};
  const open = new Promise<void>((resolve) => {
    pass = resolve;
  });
  return { open, pass };
}

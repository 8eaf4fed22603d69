import { createRequire, syncBuiltinESMExports } from "node:module";
import { type Worker as NodeWorker, setEnvironmentData, type WorkerOptions } from "node:worker_threads";
import type { DriverName } from "agent-stats/sqlcipher";

/** How a thread of a database can die: others end it, wherever it is; or it does so itself, in the middle of a save. */
export type Death = "terminated" | "exits" | "throws";

/** What a thread that can die by itself is told. */
export interface DeathOrder {
  readonly driver: DriverName;
  /** 0 while it is to live; then how it is to die, by its place in `DEATHS`. */
  readonly how: Int32Array;
}

export const DEATHS: readonly (Death | null)[] = [null, "terminated", "exits", "throws"];
/** Under this name it finds its order. */
export const DEATH_ORDER = "death order";

/**
 * From here on every thread that this process starts is known, so that a fault can end it in mid-work. Must run before
 * the library starts its own: it names the class by its module, which is looked up again.
 *
 * @param driver what the database's thread works with, if it is to die by itself: a module that is loaded before the
 *   library's then sees to it
 * @returns a function that has them all die at their next save, and waits for it
 */
export function catchWorkers(driver: DriverName | null): (death: Death) => Promise<void> {
  const threads = createRequire(import.meta.url)("node:worker_threads") as { Worker: typeof NodeWorker };
  const how = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  if (driver) setEnvironmentData(DEATH_ORDER, { driver, how } satisfies DeathOrder as never);
  const execArgv = ["--import", new URL("./dying.child.js", import.meta.url).href];
  const started: NodeWorker[] = [];
  threads.Worker = class extends threads.Worker {
    constructor(path: string | URL, options: WorkerOptions = {}) {
      super(path, driver ? { ...options, execArgv } : options);
      started.push(this);
    }
  };
  syncBuiltinESMExports();
  return async (death) => {
    // An answer that comes meanwhile lets go of the thread, and nothing would keep this process until it has ended.
    const alive = setInterval(() => {}, 1_000);
    const dead = started.splice(0).map(async (worker) => {
      if (death === "terminated") return worker.terminate();
      return new Promise((resolve) => worker.once("exit", resolve));
    });
    Atomics.store(how, 0, DEATHS.indexOf(death));
    await Promise.all(dead);
    clearInterval(alive);
  };
}

import { createRequire, syncBuiltinESMExports } from "node:module";
import type { Worker as NodeWorker } from "node:worker_threads";

/**
 * From here on every thread that this process starts is known, so that a fault can end it in mid-work. Must run before
 * the library starts its own: it names the class by its module, which is looked up again.
 *
 * @returns a function that ends them all
 */
export function catchWorkers(): () => Promise<void> {
  const threads = createRequire(import.meta.url)("node:worker_threads") as { Worker: typeof NodeWorker };
  const started: NodeWorker[] = [];
  threads.Worker = class extends threads.Worker {
    constructor(...args: ConstructorParameters<typeof NodeWorker>) {
      super(...args);
      started.push(this);
    }
  };
  syncBuiltinESMExports();
  return async () => {
    // An answer that comes meanwhile lets go of the thread, and nothing would keep this process until it has ended.
    const alive = setInterval(() => {}, 1_000);
    await Promise.all(started.splice(0).map((worker) => worker.terminate()));
    clearInterval(alive);
  };
}

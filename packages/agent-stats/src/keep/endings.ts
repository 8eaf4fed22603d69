import type { Ending } from "../store/store.ts";

/** Someone who has something to save before the process is gone. Both calls block and never throw. */
export interface Dying {
  /** Saves what is unsaved; the session goes on. */
  saveNow(): void;
  /** Saves what is unsaved and says how the session ended. */
  endNow(how: Ending): void;
}

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
type Signal = (typeof SIGNALS)[number];

/** An exit this long after a signal is put down to it: a host that handles SIGTERM takes a while to shut down. */
const SIGNAL_EXPLAINS_EXIT_MS = 30_000;

/**
 * One registry for the whole process, also where two copies of this library are loaded: two that each wait for the
 * other to give a signal its default effect back would make the process immune to it.
 */
const REGISTRY = Symbol.for("agent-stats.endings");

interface Registry {
  readonly dying: Set<Dying>;
  listening: boolean;
}

/**
 * Saves before this process ends, however it ends: `process.exit`, an uncaught exception, an unhandled rejection,
 * SIGTERM, SIGINT, SIGHUP, an empty event loop. Does nothing where there is no `process` (browsers).
 *
 * @returns a function that takes the registration back
 */
export function beforeTheEnd(dying: Dying): () => void {
  if (typeof process === "undefined" || typeof process.on !== "function") return () => {};
  const registry = registryOf(globalThis as { [REGISTRY]?: Registry });
  registry.dying.add(dying);
  if (!registry.listening) {
    registry.listening = true;
    listen(process, registry);
  }
  return () => registry.dying.delete(dying);
}

function registryOf(holder: { [REGISTRY]?: Registry }): Registry {
  holder[REGISTRY] ??= { dying: new Set(), listening: false };
  return holder[REGISTRY];
}

function listen(host: NodeJS.Process, { dying }: Registry): void {
  let failure: Ending | null = null;
  let signalled: { how: Signal; at: number } | null = null;

  host.on("uncaughtExceptionMonitor", (_error, origin) => {
    failure = origin === "unhandledRejection" ? "rejection" : "exception";
    // A host that handles it lives on: then it explains no later exit.
    setImmediate(() => {
      failure = null;
    });
  });

  host.on("exit", () => {
    const recent = signalled !== null && performance.now() - signalled.at < SIGNAL_EXPLAINS_EXIT_MS;
    const how = failure ?? (recent ? (signalled?.how as Signal) : "exit");
    for (const each of [...dying]) each.endNow(how);
  });

  for (const signal of SIGNALS) {
    const handler = () => {
      signalled = { how: signal, at: performance.now() };
      // Many libraries listen only to clean up, and give the signal its default effect back when nobody else listens,
      // as we do. If each counted the other, nothing would end the process: while they look, we are not there.
      host.off(signal, handler);
      if (host.listenerCount(signal) > 0) {
        for (const each of [...dying]) each.saveNow();
        host.nextTick(() => host.prependListener(signal, handler));
        return;
      }
      // Nobody else listens, so the process must die of the signal as if we had not listened either.
      for (const each of [...dying]) each.endNow(signal);
      host.kill(host.pid, signal);
    };
    // Before the host's own listeners: after them, one that listens once is not seen any more, and one that exits has
    // exited already.
    host.prependListener(signal, handler);
  }
}

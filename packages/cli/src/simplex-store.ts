import type { StatsStore } from "agent-stats";
import type { StatsKey } from "agent-stats/sqlcipher";
import type { StoreFlags } from "./flags.ts";

export interface OpenForSimplex {
  readonly store: StatsStore;
  /** Releases the lock. The store is closed by whoever keeps statistics in it. */
  release(): Promise<void>;
}

/**
 * Opens a database to import into it, or to watch into it; it is created where there is none. Two at once would count
 * differences twice: only one of them is let in.
 *
 * @throws the library's StatsError; `STATS_BUSY` while another import or watch is at work on it
 */
export async function openForSimplex({ db: file, driver }: StoreFlags, key: StatsKey): Promise<OpenForSimplex> {
  const [{ sqlcipherStore }, { lockSimplexImports }] = await Promise.all([
    import("agent-stats/sqlcipher"),
    import("agent-stats/simplex-db"),
  ]);
  const store = sqlcipherStore({ file, key, thread: "same", ...(driver !== undefined && { driver }) });
  // Says what is wrong with the file or the key before anything else is done.
  await store.sums(null);
  try {
    const lock = lockSimplexImports(file);
    return {
      store,
      async release() {
        try {
          await store.close();
        } finally {
          lock.release();
        }
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

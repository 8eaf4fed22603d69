import { AUDIT } from "./contract-audit.ts";
import { CLEARING } from "./contract-clearing.ts";
import { SAVING } from "./contract-saving.ts";
import type { StatsStore } from "./store.ts";

/** A database for one case of the contract. */
export interface ContractDatabase {
  /** A store on this database: each call stands for another process. */
  open(): StatsStore;
  /** Removes the database. */
  remove(): Promise<void>;
}

export interface ContractCase {
  readonly name: string;
  run(): Promise<void>;
}

/**
 * What every store must do, whatever its database. A store's whole test is:
 *
 * @example
 * for (const { name, run } of storeContract(async () => ({ open: () => myStore(...), remove: async () => {} }))) {
 *   test(name, run);
 * }
 *
 * A process that dies is played by `close()` without a last save: it frees the lock and says no goodbye.
 */
export function storeContract(database: () => Promise<ContractDatabase>): ContractCase[] {
  return Object.entries({ ...SAVING, ...CLEARING, ...AUDIT }).map(([name, run]) => ({
    name,
    async run() {
      const place = await database();
      const opened: StatsStore[] = [];
      const open = () => {
        const store = place.open();
        opened.push(store);
        return store;
      };
      try {
        await run(open);
      } finally {
        for (const store of opened) await store.close();
        await place.remove();
      }
    },
  }));
}

import { createRequire } from "node:module";
import type { StatsStore } from "agent-stats";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { type HostStore, type SqliteHandle, sqliteStore } from "agent-stats/sqlite";
import { databaseClass, openWithKey } from "../oracle/drivers.ts";
import { KEY } from "../oracle/names.ts";
import type { LifeSpec, Phase, Sabotage } from "./spec.ts";

/** The store that a life keeps in, and the host's database around it where there is one. */
export interface LifeStore {
  readonly store: StatsStore;
  readonly host: { readonly handle: SqliteHandle; readonly store: HostStore } | null;
}

/** `failsAfterCommit` says of each commit of the host's handle whether it is to be reported as failed although it was done. */
export function openStore(
  { file, driver, place, sabotage }: Pick<LifeSpec, "file" | "driver" | "place" | "sabotage">,
  failsAfterCommit = () => false,
): LifeStore {
  if (place !== "host") {
    // Loaded beforehand, so that the phases of a store in this thread are about the database only.
    if (place === "same") createRequire(import.meta.url)(driver);
    const store = sqlcipherStore({ file, key: KEY, driver, thread: place === "own" ? "worker" : "same" });
    return { store: sabotage === "early acknowledgement" ? acknowledgingEarly(store) : store, host: null };
  }
  const handle = openWithKey(file, driver);
  handle.exec(`PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
    CREATE TABLE IF NOT EXISTS host_users (user_number INTEGER PRIMARY KEY)`);
  const store = sqliteStore(sabotaged(handle, databaseClass(driver), sabotage, failsAfterCommit));
  return { store: sabotage === "early acknowledgement" ? acknowledgingEarly(store) : store, host: { handle, store } };
}

/** What each call of the store is called while it runs. */
const PHASE_OF = {
  begin: "beginning",
  save: "saving",
  fold: "folding",
  deleteUser: "deleting",
  reset: "resetting",
  erase: "erasing",
} as const satisfies Partial<Record<keyof StatsStore, Phase>>;

export interface PhaseWatch {
  begins(phase: Phase): void;
  ends(phase: Phase): void;
  session(id: number): void;
}

/** The same store; each of its calls is told when it begins and when it ends. */
export function watched(store: StatsStore, isMigrating: boolean, watch: PhaseWatch): StatsStore {
  const calls = Object.entries(PHASE_OF).map(([method, usual]) => {
    const phase = method === "begin" && isMigrating ? "migrating" : usual;
    const call = store[method as keyof typeof PHASE_OF] as (...args: unknown[]) => Promise<unknown>;
    return [
      method,
      async (...args: unknown[]) => {
        watch.begins(phase);
        try {
          const answer = await call.apply(store, args);
          if (method === "begin") watch.session((answer as { session: number }).session);
          return answer;
        } finally {
          watch.ends(phase);
        }
      },
    ];
  });
  return { ...store, ...Object.fromEntries(calls) };
}

const COMMITS_AFTER_MS = 60;

function acknowledgingEarly(store: StatsStore): StatsStore {
  return {
    ...store,
    async save(batch) {
      setTimeout(() => void store.save(batch).catch(() => {}), COMMITS_AFTER_MS);
      return { outcome: "saved" };
    },
  };
}

/** What is changed in the SQL of the library to take a mechanism out. */
const REWRITES: Partial<Record<Sabotage, readonly [from: RegExp, to: string]>> = {
  "fold without mark": [/SET folded = 1, /, "SET folded = 0, "],
  "no open check": [/folded = 0 AND ended IS NULL/, "1 OR folded = 0 AND ended IS NULL"],
  "added saves": [/DO UPDATE SET value = excluded\.value/, "DO UPDATE SET value = value + excluded.value"],
};

/** Whose session nobody sees to be alive: their handle gives the library nothing to lock with. */
const LOCKLESS: ReadonlySet<Sabotage | null> = new Set(["no locks", "no open check"]);

/** A handle that is the host's own, but for one mechanism or one fault. */
function sabotaged(
  handle: SqliteHandle,
  Database: unknown,
  sabotage: Sabotage | null,
  failsAfterCommit: () => boolean,
): SqliteHandle {
  const [from, to] = (sabotage && REWRITES[sabotage]) ?? [/(?!)/, ""];
  return Object.assign(LOCKLESS.has(sabotage) ? {} : { constructor: Database }, {
    exec(sql: string) {
      const result = handle.exec(sql);
      if (sql === "COMMIT" && failsAfterCommit()) {
        throw Object.assign(new Error("a fault made on purpose"), { code: "SQLITE_IOERR_FSYNC" });
      }
      return result;
    },
    prepare: (sql: string) => handle.prepare(sql.replace(from, to)),
    close: () => handle.close(),
  });
}

/** The library without one of its mechanisms, for the controls of trials: on a handle of the host, whose SQL can be changed. */
import type { StatsStore } from "agent-stats";
import { type SqliteHandle, sqliteStore } from "agent-stats/sqlite";
import { databaseClass, openWithKey } from "../oracle/drivers.ts";
import type { Where } from "./host.ts";

/**
 * - `looking`: it does not look whether the path still leads to its file. A host's handle is the host's to look after.
 * - `distrust`: it believes the clock in whatever it keeps.
 */
export type Mechanism = "looking" | "distrust";

export function storeWithout(mechanism: Mechanism, { file, driver = "@signalapp/sqlcipher" }: Where): StatsStore {
  const handle = openWithKey(file, driver);
  handle.exec("PRAGMA journal_mode = WAL");
  const changed = mechanism === "distrust" ? believing(handle) : handle;
  const store = sqliteStore(Object.assign(changed, { constructor: databaseClass(driver) }));
  // The library leaves the host's handle to the host.
  const close = async () => {
    await store.close();
    handle.close();
  };
  return mechanism === "distrust" ? { ...store, ...hoursByClock(store), close } : { ...store, close };
}

/** A session is saved and ends when the clock says so, also before it began. */
function believing(handle: SqliteHandle): SqliteHandle {
  const believed = (sql: string) =>
    sql.replace("last_saved = MAX(last_saved, ?)", "last_saved = ?").replace("MAX(started, last_saved, ?)", "?");
  return {
    exec: (sql) => handle.exec(sql),
    prepare: (sql) => handle.prepare(believed(sql)),
    close: () => handle.close(),
  };
}

const HOUR_MS = 3_600_000;
const KEPT_HOURS = 90 * 24;

/** What is counted belongs to the hour that the clock shows, and what it shows to be old is old. */
function hoursByClock(store: StatsStore): Pick<StatsStore, "save" | "prune"> {
  const hour = () => Math.floor(Date.now() / HOUR_MS);
  return {
    save: (batch) => store.save({ ...batch, hour: hour() }),
    prune: () => store.prune(hour() - KEPT_HOURS),
  };
}

/** The database as the judge reads it: through the driver itself, with SQL of its own. */
import { createRequire } from "node:module";
import type { DriverName } from "agent-stats/sqlcipher";
import type { SqliteHandle } from "agent-stats/sqlite";
import { KEY } from "./canary.ts";

type DatabaseClass = new (path: string) => SqliteHandle;

const require = createRequire(import.meta.url);
const nodeMajor = Number(process.versions.node.split(".")[0]);

const ALL_DRIVERS: readonly DriverName[] = ["@signalapp/sqlcipher", "better-sqlite3-multiple-ciphers"];

/** better-sqlite3's encrypted relative crashes Node.js below 22: it must not even be imported there. */
export const DRIVERS: readonly DriverName[] = nodeMajor >= 22 ? ALL_DRIVERS : ALL_DRIVERS.slice(0, 1);

/** Why not every driver takes part here; undefined when all do. */
export const DRIVERS_MISSING =
  DRIVERS.length === ALL_DRIVERS.length
    ? undefined
    : `better-sqlite3-multiple-ciphers crashes Node.js below 22, this is ${nodeMajor}: only @signalapp/sqlcipher ran`;

export function databaseClass(driver: DriverName): DatabaseClass {
  const loaded = require(driver) as DatabaseClass | { readonly default: DatabaseClass };
  return "default" in loaded ? loaded.default : loaded;
}

/** Opens a file of the campaign with its key. */
export function openWithKey(file: string, driver: DriverName = "@signalapp/sqlcipher"): SqliteHandle {
  const handle = new (databaseClass(driver))(file);
  const before =
    driver === "@signalapp/sqlcipher"
      ? "PRAGMA cipher_log_level = NONE"
      : "PRAGMA cipher = 'sqlcipher'; PRAGMA legacy = 4";
  handle.exec(`${before}; PRAGMA key = "x'${KEY}'"`);
  return handle;
}

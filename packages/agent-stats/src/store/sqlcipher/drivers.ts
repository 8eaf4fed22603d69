import { createRequire } from "node:module";
import { StatsError } from "../errors.ts";
import type { SqliteHandle } from "../sqlite/handle.ts";

/** The SQLite drivers with SQLCipher's encryption that are known to work, preferred first. */
export const DRIVER_NAMES = ["better-sqlite3-multiple-ciphers", "@signalapp/sqlcipher"] as const;
export type DriverName = (typeof DRIVER_NAMES)[number];

export interface Driver {
  readonly name: DriverName;
  open(path: string): SqliteHandle;
  /**
   * Set where the driver takes a log that the disk did not read for one that holds nothing: the last to close it then
   * removes it. A connection that may only read removes none.
   */
  readonly openToRead?: (path: string) => SqliteHandle;
  /** What must be said before the key, so that the file is of SQLCipher's format 4. */
  readonly beforeKey: string;
  /** What must be said besides, so that a file is opened which has lost its salt. */
  withSalt(hex: string): string;
}

const NEEDS_NODE_22: DriverName = "better-sqlite3-multiple-ciphers";

type DatabaseClass = new (path: string, options?: { readonly readonly: boolean }) => SqliteHandle;

const require = createRequire(import.meta.url);
const nodeMajor = Number(process.versions.node.split(".")[0]);

/**
 * The driver of that name, or the first that can work here.
 *
 * @throws StatsError `STATS_DRIVER_MISSING`, which says what to install
 */
export function loadDriver(name?: DriverName): Driver {
  for (const candidate of DRIVER_NAMES.filter((each) => name === undefined || each === name)) {
    if (whyNot(candidate) !== null) continue;
    try {
      return LOADERS[candidate]();
    } catch {
      // Installed, but not for this platform: the other one may be.
    }
  }
  if (name === NEEDS_NODE_22 && nodeMajor < 22) {
    throw new StatsError(
      "STATS_DRIVER_MISSING",
      `The driver ${name} needs Node.js 22, and this is ${nodeMajor}: take @signalapp/sqlcipher.`,
    );
  }
  const install = nodeMajor >= 22 ? "better-sqlite3-multiple-ciphers@13" : "@signalapp/sqlcipher@4";
  throw new StatsError(
    "STATS_DRIVER_MISSING",
    `No driver for encrypted SQLite can run on Node.js ${nodeMajor} here: npm install ${install}.`,
  );
}

/** Why a driver must not even be imported here; null when it may. An import that crashes cannot be caught. */
export function whyNot(name: DriverName): string | null {
  try {
    require.resolve(name);
  } catch {
    return `${name} is not installed`;
  }
  if (name === "@signalapp/sqlcipher") return null;
  if (nodeMajor < 22) return `${name} crashes Node.js below 22, this is ${nodeMajor}`;
  const { version } = require(`${name}/package.json`) as { version: string };
  return Number(version.split(".")[0]) < 13 ? `${name} ${version} aborts at random on Node.js 24: 13 is needed` : null;
}

const LOADERS: Record<DriverName, () => Driver> = {
  "better-sqlite3-multiple-ciphers": () => {
    const Database = require("better-sqlite3-multiple-ciphers") as DatabaseClass;
    return {
      name: "better-sqlite3-multiple-ciphers",
      open: (path) => new Database(path),
      openToRead: (path) => new Database(path, { readonly: true }),
      // Without legacy=4 the format is this driver's own, with eight bytes of the header in plaintext.
      beforeKey: "PRAGMA cipher = 'sqlcipher'; PRAGMA legacy = 4",
      withSalt: (hex) => `PRAGMA cipher_salt = '${hex}'`,
    };
  },
  "@signalapp/sqlcipher": () => {
    const { default: Database } = require("@signalapp/sqlcipher") as { default: DatabaseClass };
    return {
      name: "@signalapp/sqlcipher",
      open: (path) => new Database(path),
      // SQLCipher writes to stderr by itself when a key is wrong; the error says it already.
      beforeKey: "PRAGMA cipher_log_level = NONE",
      // Trying to open it has moved the WAL into the file, and the salt with it.
      withSalt: () => "",
    };
  },
};

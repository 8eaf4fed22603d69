import type { DriverName } from "agent-stats/sqlcipher";
import type { CliContext } from "./context.ts";
import type { FlagParametersForType } from "./stricli.ts";

/** Where the key is: one of them. Without any, a terminal is asked. */
export interface KeyFlags {
  /** A path, or `-` for stdin. */
  readonly keyFile?: string;
  readonly passphraseFile?: string;
  /** `SERVICE` or `SERVICE/ACCOUNT` in the keychain of the operating system. */
  readonly keychain?: string;
}

/** What is opened, and with what. */
export interface StoreFlags extends KeyFlags {
  readonly db: string;
  readonly driver?: DriverName;
}

/** The flags of every verb that reads a database. */
export interface SourceFlags extends StoreFlags {
  readonly json?: boolean;
}

export const path = (input: string) => {
  if (input === "") throw new Error("it is empty");
  return input;
};

/** Not the name under which a file's other users stand together. */
const userName = (input: string) => {
  if (input === "" || input === "others") throw new Error("it is no name of a user");
  return input;
};

const LONGEST_PAUSE_S = 86_400;

export const seconds = (input: string) => {
  const given = Number(input);
  if (!/^\d+(\.\d+)?$/.test(input) || given < 1 || given > LONGEST_PAUSE_S) throw new Error("it is no pause");
  return given;
};

const keyFlags: FlagParametersForType<KeyFlags, CliContext> = {
  keyFile: {
    kind: "parsed",
    parse: path,
    placeholder: "FILE",
    optional: true,
    brief: "Key file: 64 hex digits, or 32 bytes; - for stdin",
  },
  passphraseFile: {
    kind: "parsed",
    parse: path,
    placeholder: "FILE",
    optional: true,
    brief: "Passphrase file, instead of a key; - for stdin",
  },
  keychain: {
    kind: "parsed",
    parse: path,
    placeholder: "SERVICE[/ACCOUNT]",
    optional: true,
    brief: "Key from the system's keychain",
  },
};

const DRIVERS: readonly string[] = [
  "better-sqlite3-multiple-ciphers",
  "@signalapp/sqlcipher",
] satisfies readonly DriverName[];

const driverName = (input: string): DriverName => {
  if (!DRIVERS.includes(input)) throw new Error("it is no driver");
  return input as DriverName;
};

const driverFlag: FlagParametersForType<Pick<StoreFlags, "driver">, CliContext>["driver"] = {
  kind: "parsed",
  parse: driverName,
  placeholder: "NAME",
  optional: true,
  brief: "better-sqlite3-multiple-ciphers or @signalapp/sqlcipher",
};

const storeFlags: FlagParametersForType<StoreFlags, CliContext> = {
  db: { kind: "parsed", parse: path, placeholder: "FILE", brief: "The database that the app writes" },
  ...keyFlags,
  driver: driverFlag,
};

export const jsonFlag = (brief: string) => ({ kind: "boolean", optional: true, withNegated: false, brief }) as const;

export const sourceFlags: FlagParametersForType<SourceFlags, CliContext> = {
  ...storeFlags,
  json: jsonFlag("One JSON object: ISO dates, exact numbers"),
};

/** Whose numbers are meant. */
export interface ScopeFlags {
  readonly protocol?: string;
  readonly user?: string;
  readonly server?: string;
}

const only = (placeholder: string, brief: string) =>
  ({ kind: "parsed", parse: path, placeholder, optional: true, brief }) as const;

export const scopeFlags: FlagParametersForType<ScopeFlags, CliContext> = {
  protocol: only("NAME", "Only this protocol"),
  user: only("USER", "Only this user"),
  server: only("SERVER", "Only this server, its address in full"),
};

/** The flags of `import simplex`: the passphrase is that of the core's database, the key that of ours. */
export interface ImportFlags extends SourceFlags {
  readonly user?: string;
}

export const importFlags: FlagParametersForType<ImportFlags, CliContext> = {
  ...sourceFlags,
  db: {
    kind: "parsed",
    parse: path,
    placeholder: "FILE",
    brief: "The database to import into; made where it is missing",
  },
  passphraseFile: {
    kind: "parsed",
    parse: path,
    placeholder: "FILE",
    optional: true,
    brief: "Passphrase of the core's own database; - for stdin",
  },
  user: {
    kind: "parsed",
    parse: userName,
    placeholder: "USER",
    optional: true,
    brief: "Whose summary it is, where the file does not tell (default: current)",
  },
  json: jsonFlag("One JSON object: what was done with each file"),
};

/** The flags of `watch simplex`. */
export interface WatchFlags extends SourceFlags {
  readonly every?: number;
}

export const watchFlags: FlagParametersForType<WatchFlags, CliContext> = {
  ...sourceFlags,
  json: jsonFlag("One JSON object a line, for each event"),
  db: {
    kind: "parsed",
    parse: path,
    placeholder: "FILE",
    brief: "The database to keep it in; made where it is missing",
  },
  every: {
    kind: "parsed",
    parse: seconds,
    placeholder: "SECONDS",
    optional: true,
    brief: "From one look at the core to the next (default: 30)",
  },
};

/** How the usage lines show them. */
export const SOURCE_USAGE = "--db FILE --key-file FILE [--json]";

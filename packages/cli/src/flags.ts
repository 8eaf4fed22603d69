import type { CliContext } from "./context.ts";
import type { FlagParametersForType } from "./stricli.ts";

/** Where the key is: one of the two, each a path or `-` for stdin. */
export interface KeyFlags {
  readonly keyFile?: string;
  readonly passphraseFile?: string;
}

/** The flags of every verb that reads a database. */
export interface SourceFlags extends KeyFlags {
  readonly db: string;
  readonly json?: boolean;
}

const path = (input: string) => {
  if (input === "") throw new Error("it is empty");
  return input;
};

/** Not the name under which a file's other users stand together. */
const userName = (input: string) => {
  if (input === "" || input === "others") throw new Error("it is no name of a user");
  return input;
};

const LONGEST_PAUSE_S = 86_400;

const seconds = (input: string) => {
  const given = Number(input);
  if (!/^\d+(\.\d+)?$/.test(input) || given < 1 || given > LONGEST_PAUSE_S) throw new Error("it is no pause");
  return given;
};

export const sourceFlags: FlagParametersForType<SourceFlags, CliContext> = {
  db: { kind: "parsed", parse: path, placeholder: "FILE", brief: "The database that the app writes" },
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
  json: { kind: "boolean", optional: true, withNegated: false, brief: "One JSON object: ISO dates, exact numbers" },
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
  json: { kind: "boolean", optional: true, withNegated: false, brief: "One JSON object: what was done with each file" },
};

/** The flags of `watch simplex`. */
export interface WatchFlags extends KeyFlags {
  readonly db: string;
  readonly every?: number;
}

const { json: _json, ...keepFlags } = sourceFlags;

export const watchFlags: FlagParametersForType<WatchFlags, CliContext> = {
  ...keepFlags,
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

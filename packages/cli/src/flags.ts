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

/** How the usage lines show them. */
export const SOURCE_USAGE = "--db FILE --key-file FILE [--json]";

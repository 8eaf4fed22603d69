import { parseArgs } from "node:util";
import { UsageError } from "./folder.ts";

export interface Flags {
  readonly json: boolean;
  readonly help: boolean;
  /** For the test: the same runs, each shorter. */
  readonly short: boolean;
  readonly dir: string | null;
}

export const USAGE = `npm start -- [--json] [--dir DIR]

  --json     the last line of stdout is one JSON object; the rest goes to stderr
  --dir DIR  keeps the files in DIR, which is new or empty; default: a new
             folder among the temporary ones
  --help     shows this`;

/** @throws UsageError in one sentence */
export function parseFlags(args: readonly string[]): Flags {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: "boolean", default: false },
        short: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        dir: { type: "string" },
      },
    });
    if (values.dir === "") throw new UsageError("--dir needs the name of a folder.");
    return { ...values, dir: values.dir ?? null };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    // The parser's own first sentence says which flag it is.
    const [reason] = (error as Error).message.split(/\.\s|\n/);
    throw new UsageError(`${reason?.replace(/\.$/, "")}: see npm start -- --help.`);
  }
}

import type { CliContext } from "./context.ts";
import { type ImportFlags, importFlags } from "./flags.ts";
import {
  type ForgetFlags,
  forgetFlags,
  type ResetFlags,
  resetFlags,
  type SalvageFlags,
  salvageFlags,
} from "./flags-of-verbs.ts";
import { buildCommand, buildRouteMap } from "./stricli.ts";

/** Verbs that change a database. */
export const changing = {
  import: buildRouteMap({
    routes: {
      simplex: buildCommand<ImportFlags, string[], CliContext>({
        loader: async () => (await import("./verbs/import.ts")).importSimplexFiles,
        parameters: {
          flags: importFlags,
          positional: {
            kind: "array",
            parameter: { parse: String, placeholder: "FILE", brief: "JSON, or the core's agent database" },
          },
        },
        docs: {
          brief: "Imports what a SimpleX core counted",
          customUsage: ["FILE… --db FILE --key-file FILE [--passphrase-file FILE] [--user USER] [--json]"],
          fullDescription: `Imports what a SimpleX core counted, from files in the order in which they were
made: the summary that the app shares, the answer to /get servers summary, or
the core's agent database, which is only read, also while the core has it open.

Only what is not there yet is added: the same file twice changes nothing. A file
that cannot be read is refused whole, with the place of the fault, and nothing
is imported then.`,
        },
      }),
    },
    docs: { brief: "Imports what another app counted: simplex" },
  }),
  salvage: buildCommand<SalvageFlags, [], CliContext>({
    loader: async () => (await import("./verbs/salvage.ts")).salvage,
    parameters: { flags: salvageFlags },
    docs: {
      brief: "Reads what is left of a damaged file into a new one",
      customUsage: ["--db FILE --to FILE --key-file FILE [--json]"],
      fullDescription: `Reads every page of a damaged database and its WAL that is still as it was
written into a new one with the same key, and says what was lost. No number is
ever more than what was saved; where something is missing, sums are lower
bounds, and it says so. The damaged file is not changed.`,
    },
  }),
  forget: buildCommand<ForgetFlags, [string], CliContext>({
    loader: async () => (await import("./verbs/forget.ts")).forget,
    parameters: {
      flags: forgetFlags,
      positional: {
        kind: "tuple",
        parameters: [{ parse: String, placeholder: "USER", brief: "As show names the user" }],
      },
    },
    docs: {
      brief: "Deletes all that is kept of a user, for good",
      customUsage: ["USER --db FILE --key-file FILE [--keep-totals] [--confirm USER]"],
      fullDescription: `Deletes a user's numbers, servers and history for good, and says how far they
are erased. It asks to type the user's name, or takes it from --confirm. An app
that runs forgets the user too, when it saves next.

This is about statistics only: delete the user in the app itself first, or it
will count for the user again.`,
    },
  }),
  reset: buildCommand<ResetFlags, [], CliContext>({
    loader: async () => (await import("./verbs/reset.ts")).reset,
    parameters: { flags: resetFlags },
    docs: {
      brief: "Begins at zero: everything, or one protocol, user or server",
      customUsage: ["--db FILE --key-file FILE [--server SERVER] [--confirm NAME]"],
      fullDescription: `Deletes numbers and history for good: all, or what --protocol, --user and
--server cover together. It asks to type a name, or takes it from --confirm: the
server's, else the user's, else the protocol's; for everything, the name of the
file without its folder.`,
    },
  }),
};

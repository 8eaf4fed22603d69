import type { CliContext } from "./context.ts";
import {
  type ImportFlags,
  importFlags,
  SOURCE_USAGE,
  type SourceFlags,
  sourceFlags,
  type WatchFlags,
  watchFlags,
} from "./flags.ts";
import { buildCommand, buildRouteMap } from "./stricli.ts";

/**
 * Every verb: what it is called, takes and says of itself. What it does stands in a file of its own in verbs/, which is
 * loaded when the verb is run, so that no verb makes another one wait.
 */
export const catalogue = {
  show: buildCommand<SourceFlags, [], CliContext>({
    loader: async () => (await import("./verbs/show.ts")).show,
    parameters: { flags: sourceFlags },
    docs: {
      brief: "Shows every counter by user and server: past, session, overall",
      customUsage: [SOURCE_USAGE],
      fullDescription: `Shows every counter by user, server and protocol.

  past     sessions that a later start has added up
  session  those since then, as they were last saved; one may be running
  overall  both

Counters whose name starts with "bytes" or ends with "Bytes" are shown in kB,
MB, …; --json gives every number exactly. Times are local; in --json, UTC.`,
    },
  }),
  sessions: buildCommand<SourceFlags, [], CliContext>({
    loader: async () => (await import("./verbs/sessions.ts")).sessions,
    parameters: { flags: sourceFlags },
    docs: {
      brief: "Lists the agent's runs: when, how each ended, what can be missing",
      customUsage: [SOURCE_USAGE],
      fullDescription: `Lists the runs of the agent, oldest first: when each began and ended, and how.

A run that was killed ended without a goodbye: nobody knows when, and what it
counted since its last save is missing. Times are local; in --json, UTC.`,
    },
  }),
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
  watch: buildRouteMap({
    routes: {
      simplex: buildCommand<WatchFlags, [string], CliContext>({
        loader: async () => (await import("./verbs/watch.ts")).watchSimplexCore,
        parameters: {
          flags: watchFlags,
          positional: {
            kind: "tuple",
            parameters: [{ parse: String, placeholder: "URL", brief: "The core's WebSocket: ws://localhost:5225" }],
          },
        },
        docs: {
          brief: "Keeps what a running SimpleX core counts",
          customUsage: ["ws://localhost:5225 --db FILE --key-file FILE [--every SECONDS]"],
          fullDescription: `Asks a running SimpleX core again and again what it counts, and keeps it with
sessions and history, until SIGINT or SIGTERM. The core is one that was started
with simplex-chat -p 5225. Restarts of either side, resets and deleted users are
followed. One watch or import at a time for each database.`,
        },
      }),
    },
    docs: { brief: "Keeps what a running app counts: simplex" },
  }),
};

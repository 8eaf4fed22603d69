import type { CliContext } from "./context.ts";
import { SOURCE_USAGE, type SourceFlags, sourceFlags } from "./flags.ts";
import { buildCommand } from "./stricli.ts";

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
};

import type { CliContext } from "./context.ts";
import { SOURCE_USAGE, type SourceFlags, sourceFlags, type WatchFlags, watchFlags } from "./flags.ts";
import {
  type DoctorFlags,
  doctorFlags,
  type ExplainFlags,
  explainFlags,
  type ScreenFlags,
  type ShowFlags,
  screenFlags,
  showFlags,
  type TimelineFlags,
  timelineFlags,
} from "./flags-of-verbs.ts";
import { buildCommand, buildRouteMap } from "./stricli.ts";

/** Verbs that only look at a database. */
export const looking = {
  show: buildCommand<ShowFlags, [], CliContext>({
    loader: async () => (await import("./verbs/show.ts")).show,
    parameters: { flags: showFlags },
    docs: {
      brief: "Shows every counter by user and server: past, session, overall",
      customUsage: [`${SOURCE_USAGE} [--user USER] [--server SERVER]`],
      fullDescription: `Shows every counter by user, server and protocol.

  past     sessions that a later start has added up
  session  those since then, as they were last saved; one may be running
  overall  both

Counters whose name starts with "bytes" or ends with "Bytes" are shown in kB,
MB, …; --json gives every number exactly. Times are local; in --json, UTC.`,
    },
  }),
  watch: buildRouteMap({
    routes: {
      screen: buildCommand<ScreenFlags, [], CliContext>({
        loader: async () => (await import("./verbs/watch.ts")).watch,
        parameters: { flags: screenFlags },
        docs: {
          brief: "Shows a database as it changes (the default)",
          customUsage: ["--db FILE --key-file FILE [--every SECONDS] [--json]"],
          fullDescription: `Shows a database as it changes, until q, Ctrl-C or a signal: on a terminal a
live screen; elsewhere a line for each change; with --json an object a line.

  q quit   p pause   c only what changed   arrows, j, k, space, b scroll`,
        },
      }),
      simplex: buildCommand<WatchFlags, [string], CliContext>({
        loader: async () => (await import("./verbs/watch-simplex.ts")).watchSimplexCore,
        parameters: {
          flags: watchFlags,
          positional: {
            kind: "tuple",
            parameters: [{ parse: String, placeholder: "URL", brief: "The core's WebSocket: ws://localhost:5225" }],
          },
        },
        docs: {
          brief: "Keeps what a running SimpleX core counts",
          customUsage: ["ws://localhost:5225 --db FILE --key-file FILE [--every SECONDS] [--json]"],
          fullDescription: `Asks a running SimpleX core again and again what it counts, and keeps it with
sessions and history, until SIGINT or SIGTERM. The core is one that was started
with simplex-chat -p 5225. Restarts of either side, resets and deleted users are
followed. One watch or import at a time for each database.`,
        },
      }),
    },
    defaultCommand: "screen",
    docs: { brief: "Shows a database as it changes, or keeps a SimpleX core's: simplex" },
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
  timeline: buildCommand<TimelineFlags, string[], CliContext>({
    loader: async () => (await import("./verbs/timeline.ts")).timeline,
    parameters: {
      flags: timelineFlags,
      positional: {
        kind: "array",
        parameter: { parse: String, placeholder: "COUNTER", brief: "Only these counters (default: all)" },
      },
    },
    docs: {
      brief: "Shows what was counted by hour or day, as bars",
      customUsage: ["[COUNTER…] --db FILE --key-file FILE [--by hour] [--from 7d]"],
      fullDescription: `Shows what was counted in each hour or day: a line of bars for each counter,
users and servers added up. --user, --server and --protocol choose among them.
--json gives each user and server, and exact numbers. Times are local; in
--json, UTC.`,
    },
  }),
  doctor: buildCommand<DoctorFlags, [], CliContext>({
    loader: async () => (await import("./verbs/doctor.ts")).doctor,
    parameters: { flags: doctorFlags },
    docs: {
      brief: "Says what is wrong, since when, and by which numbers",
      customUsage: ["--db FILE --key-file FILE [--days N] [--json]"],
      fullDescription: `Says in sentences what is wrong and since when: servers that fail while others
are fine, or all at once; tries that nobody answers; connections that are lost
again and again; crashes, and what they can have lost; clocks that jumped;
deletions that are not erased yet; damage of the file. The worst comes first,
with the numbers behind it.

A server is told when "10 % fail" explains its numbers 100 000 times better than
"2 % fail": 7 failures of 7 are too few, 8 are enough.

Exit code 1 when it finds something, 0 when nothing is wrong.`,
    },
  }),
  verify: buildCommand<SourceFlags, [], CliContext>({
    loader: async () => (await import("./verbs/verify.ts")).verify,
    parameters: { flags: sourceFlags },
    docs: {
      brief: "Checks the file itself: every page, the WAL, what the numbers say",
      customUsage: [SOURCE_USAGE],
      fullDescription: `Checks that every page is as it was written, that the WAL is whole, that tables
and indices agree, and that the numbers can be true of each other. Not a byte of
any file is changed, and the app may go on counting meanwhile.

Exit code 0 when nothing is wrong, 1 when it found something.`,
    },
  }),
  explain: buildCommand<ExplainFlags, [string], CliContext>({
    loader: async () => (await import("./verbs/explain.ts")).explain,
    parameters: {
      flags: explainFlags,
      positional: {
        kind: "tuple",
        parameters: [{ parse: String, placeholder: "COUNTER", brief: "Its name: sentQuotaErrs, or smp.sentQuotaErrs" }],
      },
    },
    docs: {
      brief: "Says what a counter means, and what it stands at",
      customUsage: ["COUNTER [--db FILE --key-file FILE] [--json]"],
      fullDescription: `Says what a counter means: its help text, unit and protocol, and where SimpleX's
own app shows it. With --db also what it stands at. Counters of SimpleX and MQTT
are known; those of another app only by what the file holds.`,
    },
  }),
};

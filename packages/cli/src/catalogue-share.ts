import type { CliContext } from "./context.ts";
import { type SourceFlags, sourceFlags } from "./flags.ts";
import {
  type DiffFlags,
  diffFlags,
  type ExportFlags,
  exportFlags,
  type ReportFlags,
  reportFlags,
  type ViewFlags,
  viewFlags,
} from "./flags-of-verbs.ts";
import { buildCommand } from "./stricli.ts";

/** Verbs that make something for other people, or other tools. */
export const sharing = {
  report: buildCommand<ReportFlags, [], CliContext>({
    loader: async () => (await import("./verbs/report.ts")).report,
    parameters: { flags: reportFlags },
    docs: {
      brief: "Makes a report for others that names nobody",
      customUsage: ["--db FILE --key-file FILE [--out FILE] [--case ID] [--coarse] [--record]"],
      fullDescription: `Makes a report to attach to a bug: a page that opens from a file, or its JSON.
Servers become srv-… under a key made for this report and kept in the encrypted
database only; users become numbers in random order; times are to the hour. The
finished bytes are searched for every known name, and nothing is saved on a hit.

--record brackets a reproduction: it starts, you reproduce, Enter stops it. What
the app had not yet saved when it began, one flush interval at most, is within.`,
    },
  }),
  resolve: buildCommand<SourceFlags, [string], CliContext>({
    loader: async () => (await import("./verbs/resolve.ts")).resolve,
    parameters: {
      flags: sourceFlags,
      positional: {
        kind: "tuple",
        parameters: [{ parse: String, placeholder: "srv-…", brief: "A pseudonym out of your own report" }],
      },
    },
    docs: {
      brief: "Says which server a pseudonym of your report stands for",
      customUsage: ["srv-… --db FILE --key-file FILE [--json]"],
    },
  }),
  diff: buildCommand<DiffFlags, [string, string], CliContext>({
    loader: async () => (await import("./verbs/diff.ts")).diff,
    parameters: {
      flags: diffFlags,
      positional: {
        kind: "tuple",
        parameters: [
          { parse: String, placeholder: "BEFORE", brief: "The older report, .html or .json" },
          { parse: String, placeholder: "AFTER", brief: "The newer one" },
        ],
      },
    },
    docs: {
      brief: "Compares two reports",
      customUsage: ["BEFORE AFTER [--json]"],
      fullDescription: `Compares two reports: sums over all servers, and each server where the two are
of one case (report --case ID). It needs no database and no key.`,
    },
  }),
  view: buildCommand<ViewFlags, [], CliContext>({
    loader: async () => (await import("./verbs/view.ts")).view,
    parameters: { flags: viewFlags },
    docs: {
      brief: "Shows it all on a page in your browser, to you only",
      customUsage: ["--db FILE --key-file FILE [--write] [--hide USER] [--port PORT]"],
      fullDescription: `Serves a page on this machine, 127.0.0.1 and ::1, and prints the link to it. The
link opens it once, in one browser; nobody else gets in. It ends at Ctrl-C, or
by itself when nobody has looked for ten minutes. It only reads, unless started
with --write.`,
    },
  }),
  export: buildCommand<ExportFlags, [], CliContext>({
    loader: async () => (await import("./verbs/export.ts")).exportStats,
    parameters: { flags: exportFlags },
    docs: {
      brief: "Writes the numbers as other tools read them",
      customUsage: ["--format FORMAT --db FILE --key-file FILE"],
      fullDescription: `Writes the numbers to stdout, with the names of servers and users: what others
are to have, report makes.

  ndjson         one JSON object a line for each counter
  csv            RFC 4180, for spreadsheets
  prometheus     text format, overall numbers
  opentelemetry  OTLP in JSON, overall numbers, as a collector takes it
  simplex        the summary that SimpleX's app shows
  simplex-agent  what simplexmq keeps; import simplex reads both`,
    },
  }),
};

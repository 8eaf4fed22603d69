import type { CliContext } from "./context.ts";
import { jsonFlag, path, type ScopeFlags, type SourceFlags, scopeFlags, seconds, sourceFlags } from "./flags.ts";
import type { FlagParametersForType } from "./stricli.ts";
import { parseMoment } from "./when.ts";

type Flags<T> = FlagParametersForType<T, CliContext>;

/** Stricli would hand the context over as the second argument. */
const moment = (input: string) => parseMoment(input);

export interface ShowFlags extends SourceFlags, ScopeFlags {}

export const showFlags: Flags<ShowFlags> = { ...sourceFlags, ...scopeFlags };

export interface TimelineFlags extends ShowFlags {
  readonly by?: "hour" | "day";
  readonly from?: Date;
  readonly to?: Date;
}

export const timelineFlags: Flags<TimelineFlags> = {
  ...showFlags,
  by: { kind: "enum", values: ["hour", "day"], optional: true, brief: "Periods (default: day)" },
  from: {
    kind: "parsed",
    parse: moment,
    placeholder: "WHEN",
    optional: true,
    brief: "2026-06-19, 2026-06-19T14:00, 36h, 7d (default: 30d; by hour 48h)",
  },
  to: { kind: "parsed", parse: moment, placeholder: "WHEN", optional: true, brief: "As --from (default: now)" },
};

export interface DoctorFlags extends SourceFlags {
  readonly days?: number;
}

const days = (input: string) => {
  const given = Number(input);
  if (!/^\d{1,5}$/.test(input) || given < 1) throw new Error("it is no number of days");
  return given;
};

export const doctorFlags: Flags<DoctorFlags> = {
  ...sourceFlags,
  days: {
    kind: "parsed",
    parse: days,
    placeholder: "N",
    optional: true,
    brief: "1 to 99999: leave out what was over before (default: 30)",
  },
};

/** The flags of `salvage`: `--db` is the damaged one. */
export interface SalvageFlags extends SourceFlags {
  readonly to: string;
}

export const salvageFlags: Flags<SalvageFlags> = {
  ...sourceFlags,
  db: { kind: "parsed", parse: path, placeholder: "FILE", brief: "The damaged database; it is not changed" },
  to: { kind: "parsed", parse: path, placeholder: "FILE", brief: "The new database; nothing must be there" },
};

/** The flags of `watch` without an app: a live screen. */
export interface ScreenFlags extends SourceFlags {
  readonly every?: number;
}

export const screenFlags: Flags<ScreenFlags> = {
  ...sourceFlags,
  every: {
    kind: "parsed",
    parse: seconds,
    placeholder: "SECONDS",
    optional: true,
    brief: "From one look to the next, 1 to 86400 (default: 1)",
  },
  json: jsonFlag("One JSON object a line, at each change"),
};

/** The flags of `explain`: the database only for what it holds now. */
export interface ExplainFlags extends Omit<SourceFlags, "db"> {
  readonly db?: string;
}

export const explainFlags: Flags<ExplainFlags> = {
  ...sourceFlags,
  db: { kind: "parsed", parse: path, placeholder: "FILE", optional: true, brief: "Also tell what it stands at there" },
};

const EXPORT_FORMATS = ["ndjson", "csv", "prometheus", "opentelemetry", "simplex", "simplex-agent"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const formatName = (input: string): ExportFormat => {
  const format = EXPORT_FORMATS.find((known) => known === input);
  if (format === undefined) throw new Error("it is no format");
  return format;
};

export interface ExportFlags extends Omit<SourceFlags, "json">, ScopeFlags {
  readonly format: ExportFormat;
  readonly currentUser?: string;
}

const { json: _, ...withoutJson } = showFlags;

export const exportFlags: Flags<ExportFlags> = {
  ...withoutJson,
  format: { kind: "parsed", parse: formatName, placeholder: "FORMAT", brief: "One of the names above" },
  currentUser: {
    kind: "parsed",
    parse: path,
    placeholder: "USER",
    optional: true,
    brief: "simplex: whose profile is open (default: the first)",
  },
};

/** The flags of what cannot be undone. */
interface DangerFlags extends SourceFlags {
  readonly confirm?: string;
}

const dangerFlags: Flags<DangerFlags> = {
  ...sourceFlags,
  confirm: {
    kind: "parsed",
    parse: path,
    placeholder: "NAME",
    optional: true,
    brief: "Do it without asking; NAME is what would be asked for",
  },
  json: jsonFlag("One JSON object: what was done, and how far"),
};

export interface ForgetFlags extends DangerFlags {
  readonly keepTotals?: boolean;
}

export const forgetFlags: Flags<ForgetFlags> = {
  ...dangerFlags,
  keepTotals: {
    kind: "boolean",
    optional: true,
    withNegated: false,
    brief: "Keep the user's sums without name and servers",
  },
};

export interface ResetFlags extends DangerFlags, ScopeFlags {}

export const resetFlags: Flags<ResetFlags> = { ...dangerFlags, ...scopeFlags };

export interface ReportFlags extends SourceFlags {
  readonly out?: string;
  readonly case?: string;
  readonly coarse?: boolean;
  readonly record?: boolean;
  readonly hidePublic?: boolean;
}

/** As `makeReport` takes it. */
const caseId = (input: string) => {
  if (input === "" || input.length > 100) throw new Error("it is no name of a case");
  return input;
};

const on = (brief: string) => ({ kind: "boolean", optional: true, withNegated: false, brief }) as const;

export const reportFlags: Flags<ReportFlags> = {
  ...sourceFlags,
  out: {
    kind: "parsed",
    parse: path,
    placeholder: "FILE",
    optional: true,
    brief: "A new file, .html or .json (default: one by date, here)",
  },
  case: {
    kind: "parsed",
    parse: caseId,
    placeholder: "ID",
    optional: true,
    brief: "Reports of one case (1 to 100 letters) bear the same pseudonyms",
  },
  coarse: on("Round every count to one digit that counts"),
  record: on("Bracket a reproduction: starts now, Enter stops"),
  hidePublic: on("Pseudonyms for well-known public servers too"),
  json: jsonFlag("The report's JSON on stdout, and no file"),
};

/** The flags of what reads reports, not databases. */
export interface DiffFlags {
  readonly json?: boolean;
}

export const diffFlags: Flags<DiffFlags> = { json: jsonFlag("One JSON object: what differs") };

export interface ViewFlags extends SourceFlags {
  readonly write?: boolean;
  readonly port?: number;
  readonly hide?: readonly string[];
}

const port = (input: string) => {
  const given = Number(input);
  if (!/^\d{1,5}$/.test(input) || given < 1024 || given > 65_535) throw new Error("it is no port");
  return given;
};

export const viewFlags: Flags<ViewFlags> = {
  ...sourceFlags,
  write: on("Let the page forget users and reset, each confirmed"),
  port: {
    kind: "parsed",
    parse: port,
    placeholder: "PORT",
    optional: true,
    brief: "1024 to 65535 (default: one that is free)",
  },
  hide: {
    kind: "parsed",
    parse: path,
    placeholder: "USER",
    variadic: true,
    optional: true,
    brief: "A profile to show only on request; more than once for more",
  },
  json: jsonFlag("One JSON object: the link, and the port"),
};

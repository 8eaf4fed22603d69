import type { Session, SessionWithCounts } from "agent-stats";
import type { CliContext, Terminal } from "../context.ts";
import type { SourceFlags } from "../flags.ts";
import { read } from "../source.ts";
import { headerLines } from "../text/header.ts";
import { type Paint, painter } from "../text/paint.ts";
import { plural } from "../text/plural.ts";
import { formatDeed, formatDoer, formatHow, formatLoss, formatSessions, lossesOf } from "../text/sessions.ts";
import { type Cell, type Column, columnWidths, tableRow, tableWidth } from "../text/table.ts";
import { formatDuration, formatTime } from "../text/times.ts";

/** `agent-stats sessions`: the runs of the agent. */
export async function sessions(this: CliContext, flags: SourceFlags): Promise<void> {
  const found = await read(flags, this, (view) => view.getSessions());
  const text = flags.json ? `${JSON.stringify(sessionsJson(found))}\n` : sessionsText(found, this.terminal);
  this.process.stdout.write(text);
}

/** What `--json` prints: the library's own list, with what each counted, and the sums of the losses. */
export function sessionsJson(found: readonly SessionWithCounts[]) {
  return { sessions: found, endedWithoutGoodbye: lossesOf(found) };
}

/** So many of the last lines of the log are shown to people; all of them by `--json`. */
const LOG_LINES = 10;

type Shown = Session & Pick<SessionWithCounts, "log">;

/** What is shown to people. */
export function sessionsText(found: readonly Shown[], { width, colour }: Terminal): string {
  const paint = painter(colour);
  const warns = lossesOf(found).sessions > 0;
  const lines = headerLines([{ name: "sessions", sentence: formatSessions(found), warns }], width, paint);
  if (found.length === 0) return `${lines.join("\n")}\n`;
  const { columns, rows } = fittingTable(found, width);
  const widths = columnWidths(columns, rows, width);
  const table = rows.map((row) => tableRow(columns, widths, row, paint));
  return `${[...lines, "", ...table, ...logLines(found, width, paint)].join("\n")}\n`;
}

/** What was folded, deleted and reset, under the table. */
function logLines(found: readonly Shown[], width: number, paint: Paint): string[] {
  const log = found.flatMap((session) => session.log).sort((a, b) => a.at.getTime() - b.at.getTime());
  if (log.length === 0) return [];
  const rows = log
    .slice(-LOG_LINES)
    .map((line): Cell[] => [
      { text: formatTime(line.at), look: "quiet" },
      { text: formatDeed(line) },
      { text: formatDoer(line), look: "quiet" },
    ]);
  const earlier = log.length - rows.length;
  const widths = columnWidths(LOG_COLUMNS, rows, width);
  return [
    "",
    ...(earlier > 0 ? [paint("quiet", `and ${plural(earlier, "earlier line")}, shown by --json`)] : []),
    ...rows.map((row) => tableRow(LOG_COLUMNS, widths, row, paint)),
  ];
}

interface Field {
  readonly name: string;
  readonly column: Column;
  cell(session: Session): Cell;
}

const NONE = "–";
const left: Column = { align: "left" };
const LOG_COLUMNS: readonly Column[] = [left, { align: "left", shrinks: true }, left];

const number: Field = {
  name: "#",
  column: { align: "right" },
  cell: ({ session }) => ({ text: String(session), look: "quiet" }),
};
const how: Field = {
  name: "how",
  column: { align: "left", shrinks: true },
  cell: (session) => ({
    text: formatHow(session),
    look: session.how === "killed" ? "warning" : session.how === "running" ? "good" : "plain",
  }),
};
const loss: Field = {
  name: "missing",
  column: left,
  cell: (session) => ({ text: formatLoss(session), look: session.how === "killed" ? "warning" : "quiet" }),
};
const ran: Field = {
  name: "ran for",
  column: { align: "right" },
  // Where no end is known, to the last save.
  cell: ({ started, ended, lastSaved }) => {
    const text = formatDuration(Math.max(0, (ended ?? lastSaved).getTime() - started.getTime()));
    return { text: ended === null ? `> ${text}` : text };
  },
};

function time(name: string, of: (session: Session) => Date | null, precision?: "minutes"): Field {
  return {
    name,
    column: left,
    cell: (session) => {
      const date = of(session);
      return date ? { text: formatTime(date, precision) } : { text: NONE, look: "quiet" };
    },
  };
}

/** The richest first. In the last, names of endings lose their middle where even that is too wide. */
const LAYOUTS: readonly (readonly Field[])[] = [
  [
    number,
    time("started", ({ started }) => started),
    time("last saved", ({ lastSaved }) => lastSaved),
    time("ended", ({ ended }) => ended),
    ran,
    how,
    loss,
  ],
  [number, time("started", ({ started }) => started), time("ended", ({ ended }) => ended), how, loss],
  [
    number,
    time("started", ({ started }) => started, "minutes"),
    time("ended", ({ ended }) => ended, "minutes"),
    how,
    loss,
  ],
];

function fittingTable(found: readonly Session[], width: number) {
  const tables = LAYOUTS.map((fields) => ({
    columns: fields.map(({ column }) => column),
    rows: [
      fields.map(({ name }): Cell => ({ text: name, look: "quiet" })),
      ...found.map((session) => fields.map((field) => field.cell(session))),
    ],
  }));
  const natural = (table: (typeof tables)[number]) =>
    tableWidth(columnWidths(table.columns, table.rows, Number.POSITIVE_INFINITY));
  return tables.find((table) => natural(table) <= width) ?? (tables.at(-1) as (typeof tables)[number]);
}

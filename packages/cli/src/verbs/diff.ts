import { readFileSync } from "node:fs";
import type { CounterChange, ReportDiff, ReportDocument, ReportedServer } from "agent-stats/report";
import type { CliContext, Terminal } from "../context.ts";
import { CliError } from "../errors.ts";
import type { DiffFlags } from "../flags-of-verbs.ts";
import { middle, printable } from "../text/cells.ts";
import { headerLines } from "../text/header.ts";
import { formatCount, formatValue } from "../text/numbers.ts";
import { type Paint, painter } from "../text/paint.ts";
import { byUnitAndName } from "../text/sorting.ts";
import { type Cell, type Column, columnWidths, tableRow } from "../text/table.ts";

/** `agent-stats diff BEFORE AFTER`: what is different between two reports. */
export async function diff(this: CliContext, flags: DiffFlags, before: string, after: string): Promise<void> {
  const { diffReports, parseReport } = await import("agent-stats/report");
  const [first, second] = [before, after].map((path) => parseReport(textOf(path))) as [ReportDocument, ReportDocument];
  const found = diffReports(first, second);
  const json = { before: first.made, after: second.made, ...found };
  this.process.stdout.write(
    flags.json
      ? `${JSON.stringify(json)}\n`
      : diffText({ ...found, before: first.made, after: second.made }, this.terminal),
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new CliError("IMPORT_UNREADABLE", "One of the reports cannot be read: name two files that report has saved.");
  }
}

interface Compared extends ReportDiff {
  readonly before: string;
  readonly after: string;
}

const COLUMNS: readonly Column[] = [
  { align: "left", shrinks: true },
  { align: "right" },
  { align: "right" },
  { align: "right" },
];
const INDENT = "  ";

/** What is shown to people. */
export function diffText(found: Compared, { width, colour }: Terminal): string {
  const paint = painter(colour);
  const facts = [
    { name: "reports", sentence: `made ${found.before} and ${found.after}` },
    {
      name: "servers",
      sentence: found.correlates
        ? `the same pseudonyms in both; ${formatCount(found.come.length)} new, ${formatCount(found.gone.length)} gone`
        : "pseudonyms of two reports do not correlate: sums, and well-known public servers, are compared",
    },
    { name: "sessions", sentence: `${formatCount(found.newSessions.length)} new${howOf(found)}` },
  ];
  const blocks = [
    ...found.totals.map(({ protocol, changes }) => ({ title: `${protocol}, all servers`, changes })),
    ...found.servers.map(({ changes, ...key }) => ({ title: titleOf(key), changes })),
  ];
  const lines = [...headerLines(facts, width, paint), ...blocks.flatMap((block) => blockLines(block, width, paint))];
  if (blocks.length === 0) lines.push("", "No counter differs.");
  return `${lines.join("\n")}\n`;
}

function howOf({ newSessions }: ReportDiff): string {
  const killed = newSessions.filter(({ how }) => how === "killed").length;
  return killed === 0 ? "" : `, of which ${formatCount(killed)} ended without a goodbye`;
}

function titleOf({ protocol, server }: ReportedServer): string {
  return [server ?? "all servers", protocol].join(", ");
}

function blockLines(
  { title, changes }: { readonly title: string; readonly changes: readonly CounterChange[] },
  width: number,
  paint: Paint,
): string[] {
  const rows: Cell[][] = [
    ["counter", "before", "after", "change"].map((text) => ({ text, look: "quiet" as const })),
    ...changes
      .toSorted((a, b) => byUnitAndName(a.counter, b.counter))
      .map(({ counter, before, after }) => [
        { text: printable(counter) },
        { text: formatValue(counter, before) },
        { text: formatValue(counter, after) },
        {
          text: `${after >= before ? "+" : "−"}${formatValue(counter, Math.abs(after - before))}`,
          look: "strong" as const,
        },
      ]),
  ];
  const widths = columnWidths(COLUMNS, rows, width - INDENT.length);
  return [
    "",
    paint("title", middle(printable(title), width)),
    ...rows.map((row) => INDENT + tableRow(COLUMNS, widths, row, paint)),
  ];
}

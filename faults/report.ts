import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import type { TrialResult } from "./campaign/run-trial.ts";
import { grouped, seenText, verdictText } from "./campaign/table.ts";
import type { Scale } from "./trial.ts";

export interface ReportOf {
  readonly scale: Scale;
  readonly seed: number;
}

const PAGE = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));
const BEGIN = "<!-- campaign: written by npm run faults -->";
const END = "<!-- campaign: end -->";

/** Writes what ran into the page on reliability, between its markers; lines of trials that did not run now stay. */
export function writeReport(results: readonly TrialResult[], of: ReportOf): void {
  const page = existsSync(PAGE) ? readFileSync(PAGE, "utf8") : `# Reliability\n\n${BEGIN}\n${END}\n`;
  writeFileSync(PAGE, withReport(page, results, of, new Date()));
}

/** The page with the new lines in its table. */
export function withReport(page: string, results: readonly TrialResult[], of: ReportOf, at: Date): string {
  const [before, rest] = page.split(BEGIN);
  const [old, after] = rest?.split(END) ?? [];
  if (before === undefined || old === undefined || after === undefined) {
    throw new Error(`docs/reliability.md lost the markers of its table: ${BEGIN} and ${END}`);
  }
  const lines = new Map(rowsIn(old));
  for (const result of results) lines.set(result.trial.name, rowOf(result, of, at));
  return `${before}${BEGIN}\n${machine()}\n\n${HEAD}\n${[...lines.values()].join("\n")}\n${END}${after}`;
}

const HEAD =
  "| trial | what is done | ran | seen | controls: what was switched off, and what was seen then | verdict | run |\n" +
  "| --- | --- | --- | --- | --- | --- | --- |";

function rowOf(result: TrialResult, { scale, seed }: ReportOf, at: Date): string {
  const { trial, ran, seen, controls, skipped } = result;
  const cells = [
    trial.name,
    trial.what,
    `${grouped(ran)} ${trial.unit}, ${grouped(Math.round(result.seconds))} s`,
    [seenText(seen), ...(skipped === undefined ? [] : [`skipped: ${skipped}`])]
      .filter((text) => text !== "")
      .join("; "),
    controls.map((control) => `${control.without}: ${seenText(control.seen)}`).join("; "),
    verdictText(result),
    `${at.toISOString().slice(0, 10)}, \`--scale ${scale} --seed ${seed}\``,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

/** The lines of a table by the names of their trials. */
function rowsIn(table: string): [name: string, row: string][] {
  const rows = table.split("\n").filter((line) => line.startsWith("| ") && !HEAD.includes(line));
  return rows.map((row) => [row.split(" ")[1] ?? "", row]);
}

function machine(): string {
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  return (
    `Last written on ${availableParallelism()} cores (${cpus()[0]?.model.trim() || "of an unnamed make"}), ${memory}, ` +
    `${type()} ${release()}, Node.js ${process.versions.node}, by \`npm run faults\`; a line's last column repeats it.`
  );
}

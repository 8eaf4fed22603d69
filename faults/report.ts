import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import type { TrialResult } from "./campaign/run-trial.ts";
import { grouped, repeats, seenText } from "./campaign/table.ts";
import { isWhole, verdictText } from "./campaign/verdict.ts";
import { DRIVERS, DRIVERS_MISSING } from "./oracle/drivers.ts";
import type { Scale } from "./trial.ts";

export interface ReportOf {
  readonly scale: Scale;
  readonly seed: number;
  /** What `--count` said; null: as many as the scale says. */
  readonly count: number | null;
}

const PAGE = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));
const BEGIN = "<!-- campaign: written by npm run faults -->";
const END = "<!-- campaign: end -->";

/**
 * Writes what ran into the page on reliability, between its markers: a table of verdicts, and below it for each trial what
 * was seen. What did not run now stays as it was, and so does what a full run showed, unless a smaller one failed: fewer
 * units show less, and a failure must not go unseen.
 */
export function writeReport(results: readonly TrialResult[], of: ReportOf): void {
  const page = existsSync(PAGE) ? readFileSync(PAGE, "utf8") : `# Reliability\n\n${BEGIN}\n${END}\n`;
  writeFileSync(PAGE, withReport(page, results, of, new Date()));
}

/** The page with the new lines in its table, and what was seen below it. */
export function withReport(page: string, results: readonly TrialResult[], of: ReportOf, at: Date): string {
  const [before, rest] = page.split(BEGIN);
  const [old, after] = rest?.split(END) ?? [];
  if (before === undefined || old === undefined || after === undefined) {
    throw new Error(`docs/reliability.md lost the markers of its table: ${BEGIN} and ${END}`);
  }
  const rows = new Map(rowsIn(old));
  const sections = new Map(sectionsIn(old));
  for (const result of results) {
    if (!isWhole(of) && result.ok && isOfFullRun(rows.get(result.trial.name))) continue;
    rows.set(result.trial.name, rowOf(result, of, at));
    sections.set(result.trial.name, sectionOf(result));
  }
  const table = `${HEAD}\n${[...rows.values()].join("\n")}`;
  return `${before}${BEGIN}\n${machine()}\n\n${table}\n\n${[...sections.values()].join("\n\n")}\n${END}${after}`;
}

const HEAD =
  "| trial | ran (at least) | verdict | controls | time | Node.js | drivers | run |\n" +
  "| --- | ---: | --- | --- | ---: | --- | --- | --- |";

function rowOf(result: TrialResult, of: ReportOf, at: Date): string {
  const { trial, ran, controls, seconds } = result;
  const cells = [
    trial.name,
    `${grouped(ran)} ${trial.unit} (${grouped(trial.atLeast)})`,
    verdictText(result),
    `${controls.filter(({ bites }) => bites).length} of ${controls.length} bit`,
    `${grouped(Math.round(seconds))} s`,
    process.versions.node,
    DRIVERS_MISSING === undefined ? "both" : DRIVERS.join(", "),
    `${at.toISOString().slice(0, 10)}, \`--only ${trial.name} ${flagsOf(of)}\``,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

function flagsOf({ scale, seed, count }: ReportOf): string {
  return `--scale ${scale} --seed ${seed}${count === null ? "" : ` --count ${count}`}`;
}

/** Its last column says how it was run. */
function isOfFullRun(row: string | undefined): boolean {
  return row?.includes("--scale full") === true && !row.includes("--count");
}

/** A stack belongs into the terminal. */
const MOST_LETTERS = 300;
const MOST_FAILURES = 3;

/** All numbers of a trial, and why it failed, for who wants to know more than its verdict. */
function sectionOf({ trial, seen, searched, controls, failures, skipped }: TrialResult): string {
  const lines = [
    ...failures
      .slice(0, MOST_FAILURES)
      .map((failure) => `FAILED: ${failure.what.slice(0, MOST_LETTERS)}; again: \`${repeats(trial.name, failure)}\``),
    ...(failures.length > MOST_FAILURES ? [`FAILED: ${failures.length - MOST_FAILURES} more`] : []),
    `seen: ${seenText(seen)}`,
    ...controls.map(
      (control) =>
        `without ${control.without}: ${control.bites ? "bites" : "DOES NOT BITE"} (${seenText(control.seen)})`,
    ),
    `searched for secrets afterwards: ${grouped(searched.files)} files, ${grouped(searched.bytes)} bytes`,
    ...(skipped === undefined ? [] : [`skipped: ${skipped}`]),
  ];
  const what = `${trial.what[0]?.toUpperCase()}${trial.what.slice(1)}.`;
  return `### ${trial.name}\n\n${what}\n\n${lines.map((line) => `- ${line.replaceAll("\n", " ")}`).join("\n")}`;
}

/** The lines of a table by the names of their trials. */
function rowsIn(table: string): [name: string, row: string][] {
  // Above the first line of dashes stands the head, also one of an earlier form.
  const lines = table.split("\n").filter((line) => line.startsWith("| "));
  const rows = lines.slice(lines.findIndex((line) => line.startsWith("| ---")) + 1);
  return rows.map((row) => [row.split(" ")[1] ?? "", row]);
}

function sectionsIn(report: string): [name: string, section: string][] {
  const sections = report.split(/^### /m).slice(1);
  return sections.map((section) => [section.split("\n", 1)[0] ?? "", `### ${section.trim()}`]);
}

function machine(): string {
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  return (
    `Last written on ${availableParallelism()} cores (${cpus()[0]?.model.trim() || "of an unnamed make"}), ${memory}, ` +
    `${type()} ${release()}, by \`npm run faults\`; a line's last column repeats it. \`both\` drivers are ` +
    "`@signalapp/sqlcipher` and `better-sqlite3-multiple-ciphers`."
  );
}

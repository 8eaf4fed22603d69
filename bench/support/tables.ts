import type { JsonFigure, NodeResults, Results } from "./results.ts";

/** The page of results: a table for each version of Node, in the order of the lines. */
export function pageOf({ machine, versions, nodes }: Results, names: readonly string[]): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const parts = Object.entries(nodes).flatMap(([node, results]) => [
    `## Node ${node}`,
    `\`${results.command}\`, ${results.date}`,
    ...names.flatMap((name) => section(name, results)),
  ]);
  const head = [
    "# Speed, measured",
    "Written by `npm run bench`: every number is compared with a baseline that was measured in the same run. README.md says what each line means, what was missed, and why.",
    `Machine: ${machine}. ${packages.join(", ")}.`,
  ];
  return `${[...head, ...parts].join("\n\n")}\n`;
}

function section(name: string, { lines }: NodeResults): string[] {
  const line = lines[name];
  if (!line) return [];
  return [`### ${name}${line.ok ? "" : ": missed"}`, line.measured, table(line.figures)];
}

function table(figures: Readonly<Record<string, JsonFigure>>): string {
  const rows = Object.entries(figures).map(([name, figure]) => {
    const { against, target, ok } = figure;
    const verdict = ok === null ? "" : ok ? "reached" : "**missed**";
    const baseline = against === null ? "" : `${amount(figure.baseline, figure.unit)} (${against})`;
    return `| ${name} | ${amount(figure.figure, figure.unit)} | ${baseline} | ${ratio(figure.ratio)} | ${target ?? ""} | ${verdict} |`;
  });
  return ["| figure | ours | baseline | ratio | target | |", "| --- | ---: | ---: | ---: | --- | --- |", ...rows].join(
    "\n",
  );
}

/** The same tables for a terminal. */
export function textOf(name: string, figures: Readonly<Record<string, JsonFigure>>): string {
  const rows = Object.entries(figures).map(([title, { figure, unit, baseline, ratio: of, target, ok }]) => {
    const against = baseline === null ? "" : `against ${amount(baseline, unit)}, ${ratio(of)}`;
    const verdict = ok === null ? "" : ok ? `ok (${target})` : `MISSED (${target})`;
    return `  ${title.padEnd(52)} ${amount(figure, unit).padStart(12)}  ${against.padEnd(34)} ${verdict}`.trimEnd();
  });
  return [name, ...rows].join("\n");
}

export function amount(value: number | null, unit: string): string {
  if (value === null) return "–";
  if (unit === "bytes" && value >= 1e6) return `${short(value / 1e6)} MB`;
  if (unit === "bytes" && value >= 1e4) return `${short(value / 1e3)} KB`;
  return `${short(value)} ${unit}`;
}

function short(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/** Below a tenth, a ratio is easier read as a share. */
function ratio(value: number | null): string {
  if (value === null) return "";
  return value > 0 && value < 0.1 ? `1/${Math.round(1 / value).toLocaleString("en")}` : `${short(value)} ×`;
}

/** The lines that README quotes: the first figure of each, and whether all of the line is reached. */
export function quoteOf({ nodes }: Results, names: readonly string[]): string {
  const [node = "", results] = Object.entries(nodes)[0] ?? [];
  if (!results) return "";
  const rows = names.flatMap((name) => {
    const line = results.lines[name];
    const [title, figure] = Object.entries(line?.figures ?? {})[0] ?? [];
    if (!line || !figure) return [];
    const baseline = figure.against === null ? "" : `${amount(figure.baseline, figure.unit)}, ${figure.against}`;
    const judged = Object.values(line.figures).filter(({ ok }) => ok !== null);
    const reached = `${judged.filter(({ ok }) => ok).length} of ${judged.length}`;
    return [`| ${name} | ${title} | ${amount(figure.figure, figure.unit)} | ${baseline} | ${reached} |`];
  });
  return [`| Node ${node} | | ours | beside | targets reached |`, "| --- | --- | ---: | --- | --- |", ...rows].join(
    "\n",
  );
}

/** Markdown with the block between the two marks written anew. */
export function withQuote(markdown: string, quote: string): string {
  return markdown.replace(
    /(<!-- bench: [^>]*-->\n)[\s\S]*?(<!-- \/bench -->)/,
    (_, begin: string, end: string) => `${begin}\n${quote}\n\n${end}`,
  );
}

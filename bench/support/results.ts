import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { type Figure, isReached, type LineResult, ratioOf } from "./line.ts";
import { inWorkspace } from "./paths.ts";

const RESULTS_JSON = inWorkspace("bench", "results.json");
export const RESULTS_MD = inWorkspace("bench", "results.md");

/** What one version of Node measured: by the names of the lines. */
export interface NodeResults {
  readonly date: string;
  readonly command: string;
  readonly lines: Readonly<Record<string, JsonLine>>;
}

/** A line as `--json` tells it: its first figure, and all of them by name. */
export interface JsonLine extends JsonFigure {
  readonly measured: string;
  readonly figures: Readonly<Record<string, JsonFigure>>;
  readonly growth: LineResult["growth"];
}

export interface JsonFigure {
  readonly unit: string;
  readonly figure: number;
  readonly baseline: number | null;
  readonly against: string | null;
  readonly ratio: number | null;
  readonly target: string | null;
  /** Of a line: whether all of its figures reach their targets. */
  readonly ok: boolean | null;
}

export interface Results {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly nodes: Readonly<Record<string, NodeResults>>;
}

export function jsonLine({ measured, figures, growth = [] }: LineResult): JsonLine {
  const [first] = figures;
  if (!first) throw new Error("a line has at least one figure");
  const named = Object.fromEntries(figures.map((figure) => [figure.name, jsonFigure(figure)]));
  const judged = figures.map(isReached).filter((ok) => ok !== null);
  return { ...jsonFigure(first), ok: judged.every(Boolean), measured, figures: named, growth };
}

function jsonFigure(figure: Figure): JsonFigure {
  const { unit, figure: value, baseline, against } = figure;
  return {
    unit,
    figure: rounded(value),
    baseline: baseline === null ? null : rounded(baseline),
    against,
    ratio: ratioOf(figure) === null ? null : rounded(ratioOf(figure) as number),
    target: targetOf(figure),
    ok: isReached(figure),
  };
}

/** A target in words: of a ratio below one, as a share. */
function targetOf({ target, unit }: Figure): string | null {
  if (target === null) return null;
  const { of, atMost } = target;
  if (of === "figure") return `≤ ${atMost.toLocaleString("en")} ${unit}`;
  if (of === "difference") return `≤ ${atMost} ${unit} more`;
  return atMost < 1 ? `≤ 1/${Math.round(1 / atMost)}` : `≤ ${atMost} ×`;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function readResults(): Results | null {
  return existsSync(RESULTS_JSON) ? (JSON.parse(readFileSync(RESULTS_JSON, "utf8")) as Results) : null;
}

/** Keeps what other versions of Node measured, and other lines. */
export function keepResults(node: string, measured: NodeResults, versions: Results["versions"]): Results {
  const before = readResults();
  const lines = { ...before?.nodes[node]?.lines, ...measured.lines };
  const results: Results = {
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform}`,
    versions,
    nodes: { ...before?.nodes, [node]: { ...measured, lines } },
  };
  writeFileSync(RESULTS_JSON, `${JSON.stringify(results, null, 2)}\n`);
  return results;
}

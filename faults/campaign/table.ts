import type { Failure } from "../trial.ts";
import type { TrialResult } from "./run-trial.ts";
import { verdictText } from "./verdict.ts";

const HEAD = ["trial", "ran", "seconds", "verdict"] as const;
const SEEN_WIDTH = 100;

/** The table at the end, and below each line what was seen, how the controls bit, and how to repeat what failed. */
export function tableOf(results: readonly TrialResult[]): string {
  const rows = results.map((result) => [
    result.trial.name,
    `${grouped(result.ran)} ${result.trial.unit}`,
    result.seconds.toFixed(1),
    verdictText(result),
  ]);
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ");
  const lines = results.flatMap((result, i) => [line(rows[i] ?? []).trimEnd(), ...below(result)]);
  return [line(HEAD), ...lines].join("\n");
}

/** `corrupt 0, counts 1 200 345`. */
export function seenText(seen: Readonly<Record<string, number>>): string {
  return Object.entries(seen)
    .map(([name, value]) => `${spaced(name)} ${grouped(value)}`)
    .join(", ");
}

export function grouped(value: number): string {
  const [whole = "", fraction] = (Number.isInteger(value) ? String(value) : value.toFixed(1)).split(".");
  const spacedOut = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, " ") : whole;
  return fraction === undefined ? spacedOut : `${spacedOut}.${fraction}`;
}

/** `acknowledgedLost` reads as `acknowledged lost`. */
function spaced(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]|[A-Z](?=[a-z])/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** How a failure is repeated. */
export function repeats(trial: string, { seed, count = 1 }: Failure): string {
  return `npm run faults -- --only ${trial} --seed ${seed} --count ${count}`;
}

function below(result: TrialResult): string[] {
  const { trial, seen, searched, controls, skipped } = result;
  return [
    `  ${trial.what}`,
    ...wrapped(`  seen: ${seenText(seen)}`),
    `  searched for secrets: ${grouped(searched.files)} files, ${grouped(searched.bytes)} bytes`,
    ...controls.map(
      (control) =>
        `  control, without ${control.without}: ${control.bites ? "bites" : "DOES NOT BITE"} (${seenText(control.seen)})`,
    ),
    ...(result.ran > 0 && controls.length === 0 ? ["  NO CONTROL RAN: this proves nothing"] : []),
    ...(skipped === undefined ? [] : [`  skipped: ${skipped}`]),
    ...failuresIn(result),
  ];
}

/** What failed, and how each is repeated. */
export function failuresIn({ trial, failures }: Pick<TrialResult, "trial" | "failures">): string[] {
  return failures.flatMap((failure) => [`  FAILED: ${failure.what}`, `    again: ${repeats(trial.name, failure)}`]);
}

/** Breaks a long list at its commas. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const part of text.split(/(?<=,) /)) {
    if (line !== "" && line.length + part.length >= SEEN_WIDTH) {
      lines.push(line);
      line = `    ${part}`;
    } else line = line === "" ? part : `${line} ${part}`;
  }
  return [...lines, line];
}

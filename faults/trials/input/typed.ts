/** Whether an error is an answer: one that the library made on purpose, and that names nobody. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { StatsError } from "agent-stats";
import { SimplexFormatError } from "agent-stats/simplex";
import { MARK } from "../../oracle/canary.ts";
import { expect } from "./fuzz.ts";

const LIBRARY = folderOf(import.meta.resolve("agent-stats"));
const OWN = [StatsError, SimplexFormatError];
/** Tools that run tests write plain paths, where Node.js itself writes URLs. */
const PLACE = /^\s+at (?:.* \()?(?:file:\/\/)?(\/.*):(\d+):(\d+)\)?$/;

/** The folder that a module stands in, as a path. */
export function folderOf(url: string): string {
  return fileURLToPath(new URL(".", url));
}

/**
 * True for the library's own classes, and for a `TypeError` or `RangeError` that the library made. V8 makes errors of these
 * classes too, wherever something is done that cannot be, with words that change from version to version. So it is told by
 * the place where the error was born: there the library's source says `new TypeError(`, and nowhere else.
 *
 * @param home below which files are the library's
 */
export function isTyped(error: unknown, home = LIBRARY): boolean {
  if (OWN.some((own) => error instanceof own)) return true;
  if (!(error instanceof TypeError || error instanceof RangeError)) return false;
  const [first = ""] = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const [, file, line, column] = PLACE.exec(first) ?? [];
  if (!file?.startsWith(home)) return false;
  const text = linesOf(file)[Number(line) - 1]?.slice(Number(column) - 1) ?? "";
  return text.startsWith(`new ${error.name}(`);
}

const read = new Map<string, readonly string[]>();

function linesOf(file: string): readonly string[] {
  const lines = read.get(file) ?? readFileSync(file, "utf8").split("\n");
  read.set(file, lines);
  return lines;
}

/** Fails for any other, and for one that repeats a name. */
export function expectTyped(error: unknown, what: string, home = LIBRARY): void {
  const said = inspect(error, { depth: 5 });
  expect(isTyped(error, home), `${what}: no error of the library: ${said}`);
  expect(!said.includes(MARK), `${what}: its error holds a name`);
}

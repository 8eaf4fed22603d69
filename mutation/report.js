// Writes what the last runs of `npm run mutation` found into docs/reliability.md, and fails below the score that the page
// promises. Rooms may have been run on different days: each has a report of its own. Survivors that nobody explained are
// listed on stdout, each with the place where it can be looked at.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { KINDS } from "./kinds.js";
import { ROOMS, reportOf } from "./rooms.js";

/** In percent of the changes that can be noticed while the code runs. */
const LOWEST_SCORE = 90;
const BEGIN = "<!-- mutation: written by npm run mutation -->";
const END = "<!-- mutation: end -->";

/**
 * @typedef {{ line: number, column: number }} Place
 * @typedef {{ status: string, mutatorName: string, replacement?: string, location: { start: Place } }} Mutant
 * @typedef {{ files: Record<string, { source: string, mutants: Mutant[] }> }} Report
 * @typedef {{ place: string, line: string, mutator: string, replacement: string }} Survivor
 */

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @param {string} room */
function readRoom(room) {
  const path = here(`../${reportOf(room)}`);
  if (!existsSync(path)) return null;
  /** @type {Report} */
  const { files } = JSON.parse(readFileSync(path, "utf8"));
  const mutants = Object.entries(files).flatMap(([file, { source, mutants: found }]) => {
    const lines = source.split("\n");
    return found.map((mutant) => ({ ...mutant, file, text: lines[mutant.location.start.line - 1]?.trim() ?? "" }));
  });
  const having = (/** @type {string[]} */ ...statuses) => mutants.filter(({ status }) => statuses.includes(status));
  const timeouts = having("Timeout").length;
  // Where no test fails, and an error that nobody caught ends the run, Stryker calls it RuntimeError.
  const noticed = timeouts + having("Killed", "RuntimeError").length;
  const survivors = having("Survived", "NoCoverage").map(({ file, text, location, mutatorName, replacement = "" }) => ({
    place: `${file}:${location.start.line}`,
    line: text,
    mutator: mutatorName,
    replacement,
  }));
  const percent = (100 * noticed) / (noticed + survivors.length);
  return { room, noticed, timeouts, survivors, atLoad: having("Ignored").length, percent };
}

/** @param {Survivor} survivor */
function kindOf({ place, line }) {
  const kind = KINDS.find(({ where }) => where.some(([file, text]) => place.includes(file) && line.includes(text)));
  return kind?.is ?? null;
}

/** What survived in a room, kind by kind, the most frequent first. @param {NonNullable<ReturnType<typeof readRoom>>} of */
function kindsIn({ room, survivors }) {
  /** @type {Map<string, number>} */
  const kinds = new Map();
  for (const survivor of survivors) {
    const kind = kindOf(survivor) ?? "not looked at yet";
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const told = [...kinds].sort(([, a], [, b]) => b - a).map(([kind, n]) => `${n} ${kind}`);
  return `- \`${room}/\`: ${told.join("; ") || "nothing"}.`;
}

const rooms = ROOMS.map(({ name }) => readRoom(name)).filter((room) => room !== null);
const table = [
  "| room | changes | noticed | of these by never ending | survived | score | left out |",
  "| --- | --- | --- | --- | --- | --- | --- |",
  ...rooms.map(
    ({ room, noticed, timeouts, survivors, percent, atLoad }) =>
      `| \`${room}/\` | ${noticed + survivors.length} | ${noticed} | ${timeouts} | ${survivors.length} | ${percent.toFixed(1)} % | ${atLoad} |`,
  ),
].join("\n");
const written = `${table}\n\nWhat survived:\n\n${rooms.map(kindsIn).join("\n")}`;

const page = here("../docs/reliability.md");
const [before, rest] = readFileSync(page, "utf8").split(BEGIN);
const after = rest?.split(END)[1];
if (before === undefined || after === undefined) throw new Error("docs/reliability.md lost the markers of this table.");
writeFileSync(page, `${before}${BEGIN}\n${written}\n${END}${after}`);

for (const survivor of rooms.flatMap(({ survivors }) => survivors)) {
  if (kindOf(survivor) === null) console.log(`${survivor.place} ${survivor.mutator}: ${survivor.replacement}`);
}
console.log(written);
const missing = ROOMS.filter(({ name }) => !rooms.some(({ room }) => room === name)).map(({ name }) => name);
if (missing.length > 0) console.log(`Not run yet: ${missing.join(", ")}.`);
const low = rooms.filter(({ percent }) => percent < LOWEST_SCORE);
if (low.length > 0) {
  console.error(`Below ${LOWEST_SCORE} %: ${low.map(({ room }) => room).join(", ")}.`);
  process.exitCode = 1;
}

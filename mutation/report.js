// Writes what the last run of `npm run mutation` found into docs/reliability.md, and fails below the score that the page
// promises. Survivors are listed on stdout, each with the place where it can be looked at.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** In percent of the changes that some suite runs over. */
const LOWEST_SCORE = 90;
const ROOMS = ["record", "keep", "store/sqlite"];
const BEGIN = "<!-- mutation: written by npm run mutation -->";
const END = "<!-- mutation: end -->";

/**
 * @typedef {{ status: string, mutatorName: string, replacement?: string, location: { start: { line: number } } }} Mutant
 * @typedef {{ files: Record<string, { mutants: Mutant[] }> }} Report
 */

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @type {Report} */
const { files } = JSON.parse(readFileSync(here("reports/mutation.json"), "utf8"));
const noticed = new Set(["Killed", "Timeout"]);
const missed = new Set(["Survived", "NoCoverage"]);

/** @param {string} room */
function scoreOf(room) {
  const folder = `packages/agent-stats/src/${room}/`;
  const mutants = Object.entries(files).flatMap(([path, file]) => (path.startsWith(folder) ? file.mutants : []));
  const killed = mutants.filter(({ status }) => noticed.has(status)).length;
  const survived = mutants.filter(({ status }) => missed.has(status)).length;
  return { room, killed, survived, percent: (100 * killed) / (killed + survived) };
}

const scores = ROOMS.map(scoreOf);
const lines = scores.map(
  ({ room, killed, survived, percent }) =>
    `| \`${room}/\` | ${killed + survived} | ${killed} | ${survived} | ${percent.toFixed(1)} % |`,
);
const table = ["| room | changes | noticed | survived | score |", "| --- | --- | --- | --- | --- |", ...lines].join(
  "\n",
);
const page = here("../docs/reliability.md");
const [before, rest] = readFileSync(page, "utf8").split(BEGIN);
const after = rest?.split(END)[1];
if (before === undefined || after === undefined) throw new Error("docs/reliability.md lost the markers of this table.");
writeFileSync(page, `${before}${BEGIN}\n${table}\n${END}${after}`);

for (const [path, { mutants }] of Object.entries(files)) {
  for (const { status, mutatorName, replacement, location } of mutants) {
    if (missed.has(status)) console.log(`${path}:${location.start.line} ${mutatorName}: ${replacement ?? ""}`);
  }
}
console.log(table);
const low = scores.filter(({ percent }) => percent < LOWEST_SCORE);
if (low.length > 0) {
  console.error(`Below ${LOWEST_SCORE} %: ${low.map(({ room }) => room).join(", ")}.`);
  process.exitCode = 1;
}

// Writes what the last runs of `npm run mutation` found into docs/reliability.md, and fails below the score that the page
// promises. Rooms may have been run on different days: each has a report of its own. Survivors that nobody explained are
// listed on stdout, each with the place where it can be looked at.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { KINDS } from "./kinds.js";
import { logOf, ROOMS } from "./rooms.js";

/** In percent of the changes that can be noticed while the code runs. */
const LOWEST_SCORE = 90;
const BEGIN = "<!-- mutation: written by npm run mutation -->";
const END = "<!-- mutation: end -->";

/**
 * @typedef {import("./changes.js").Change} Change
 * @typedef {{ changes?: Change[], runs?: string, covers?: string[], atLoad?: string[], noticed?: string, by?: string, doubted?: string, took?: number, why?: string }} Line
 */

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @param {string} room */
function readRoom(room) {
  const path = here(`../${logOf(room)}`);
  if (!existsSync(path)) return null;
  /** @type {Line[]} */
  const lines = readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const changes = lines.findLast((line) => line.changes)?.changes ?? [];
  const covered = new Set(lines.flatMap(({ covers = [] }) => covers));
  const atLoad = new Set(lines.flatMap((line) => line.atLoad ?? []).filter((key) => !covered.has(key)));
  /** @type {Map<string, string>} */
  const by = new Map();
  for (const line of lines) {
    if (line.noticed) by.set(line.noticed, line.by ?? "");
    if (line.doubted) by.delete(line.doubted);
  }
  const counted = changes.filter(({ key }) => !atLoad.has(key));
  const noticed = counted.filter(({ key }) => by.has(key));
  const endless = noticed.filter(({ key }) => by.get(key) !== "a test").length;
  const survivors = counted.filter(({ key }) => !by.has(key));
  const percent = (100 * noticed.length) / counted.length;
  const minutes = Math.ceil(lines.reduce((sum, { took = 0 }) => sum + took, 0) / 60);
  const last = lines.slice(lines.findLastIndex((line) => line.changes));
  const unfit = last.filter(({ runs, why }) => runs !== undefined && why !== undefined).length;
  return { room, unfit, noticed: noticed.length, endless, survivors, percent, minutes, atLoad: atLoad.size };
}

/** @param {Change} survivor */
function kindOf({ file, text }) {
  const kind = KINDS.find(({ where }) => where.some(([name, words]) => file === name && text.includes(words)));
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
  "| room | changes | noticed | of these by never ending | survived | score | minutes |",
  "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
  ...rooms.map(({ room, noticed, endless, survivors, percent, minutes }) => {
    const all = noticed + survivors.length;
    return `| \`${room}/\` | ${all} | ${noticed} | ${endless} | ${survivors.length} | ${percent.toFixed(1)} % | ${minutes} |`;
  }),
].join("\n");
const atLoad = rooms.reduce((sum, room) => sum + room.atLoad, 0);
const leftOut = `Left out are ${atLoad} changes of what is made once, when a file is loaded, as texts of SQL and patterns are.`;
const written = `${table}\n\n${leftOut}\n\nWhat survived:\n\n${rooms.map(kindsIn).join("\n")}`;

const page = here("../docs/reliability.md");
const [before, rest] = readFileSync(page, "utf8").split(BEGIN);
const after = rest?.split(END)[1];
if (before === undefined || after === undefined) throw new Error("docs/reliability.md lost the markers of this table.");
writeFileSync(page, `${before}${BEGIN}\n${written}\n${END}${after}`);

for (const survivor of rooms.flatMap(({ survivors }) => survivors)) {
  const { file, line, mutator, text, replacement } = survivor;
  if (kindOf(survivor) === null) console.log(`${file}:${line} ${mutator}: ${text} → ${replacement}`);
}
console.log(written);
for (const { room, unfit } of rooms)
  if (unfit > 0) console.log(`${room}: ${unfit} tests failed by themselves, and tried nothing.`);
const missing = ROOMS.filter(({ name }) => !rooms.some(({ room }) => room === name)).map(({ name }) => name);
if (missing.length > 0) console.log(`Not run yet: ${missing.join(", ")}.`);
const low = rooms.filter(({ percent }) => percent < LOWEST_SCORE);
if (low.length > 0) {
  console.error(`Below ${LOWEST_SCORE} %: ${low.map(({ room }) => room).join(", ")}.`);
  process.exitCode = 1;
}

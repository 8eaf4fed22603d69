/**
 * What is changed room by room, and the suites in which such a change can be seen, the quickest first: the first that
 * fails ends the trial.
 *
 * Left out are suites that start processes or threads of their own, as these run what was built, where no change is.
 */
const LIBRARY = "packages/agent-stats/src";

/**
 * @typedef {{ readonly name: string, readonly suites: readonly string[] }} Room
 * @param {string} name
 * @param {readonly string[]} suites
 * @returns {Room}
 */
const room = (name, suites) => ({
  name,
  suites: suites.map((suite) => `${LIBRARY}/${suite}.test.ts`),
});

export const ROOMS = [
  room("record", [
    "record/protocol",
    "record/valid",
    "record/given",
    "record/wire-messages",
    "record/forget",
    "record/rows",
    "record/record",
    "record/port",
    "record/serve",
    "record/connect",
    "record/direct",
    "record/wire",
    "record/remote",
  ]),
  room("keep", [
    "keep/hours",
    "keep/save-timer",
    "keep/pruning",
    "keep/given",
    "keep/numbers",
    "keep/starting-sums",
    "keep/announcer",
    "keep/progress",
    "keep/undecided",
    "keep/batches",
    "store/stand-in",
    "keep/flow",
    "keep/endings-order",
    "keep/succession",
    "keep/take-over",
    "keep/open",
    "keep/answers",
    "keep/erasing",
    "keep/ends-now",
    "keep/users",
    "keep/problems",
    "keep/mirror-asked",
    "keep/mirror-users",
    "keep/keeper",
    "keep/known-users",
    "keep/clock",
    "keep/mistakes",
    "keep/mistakes-others",
    "keep/mirror-resets",
    "keep/stuck-hours",
    "keep/model",
    "keep/history",
    "keep/anonymise",
    "keep/reset-erase",
    "keep/mirror",
    "keep/mirror-hostile",
  ]),
  room("store/sqlite", [
    "store/sqlite/handle",
    "store/sqlite/connection",
    "store/sqlite/reads",
    "store/sqlite/clears",
    "store/sqlite/host-file",
    "store/sqlite/erase",
    "store/sqlite/locks",
    "store/sqlite/plans",
    "store/sqlite/plaintext",
    "store/sqlite/given",
    "store/sqlite/trigger",
    "store/sqlite/users",
    "store/sqlite/store",
    "store/contract",
    "store/sqlite/migrations/migrations",
  ]),
];

/** What is known of a room, line by line, as it comes. @param {string} room */
export const logOf = (room) => `mutation/reports/${room.replace("/", "-")}.jsonl`;

/** What is tried now: `mutation/run.js` says so. Tests that take longer are left to another round. */
export function currentRoom() {
  const found = ROOMS.find(({ name }) => name === process.env.MUTATED_ROOM);
  if (!found) throw new Error("Run it by npm run mutation.");
  return { ...found, log: logOf(found.name), slowestMs: Number(process.env.MUTATED_WITHIN_MS) };
}

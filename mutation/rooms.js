/**
 * What is changed room by room, and the suites in which such a change can be seen, the quickest first: the first that
 * fails ends the trial.
 *
 * Left out are suites that start processes or threads of their own, as these run what was built, where no change is.
 */
const LIBRARY = "packages/agent-stats/src";

/**
 * @typedef {{ readonly name: string, readonly mutate: readonly string[], readonly suites: readonly string[] }} Room
 * @param {string} name
 * @param {readonly string[]} suites
 * @returns {Room}
 */
const room = (name, suites) => ({
  name,
  mutate: [`${LIBRARY}/${name}/**/*.ts`, "!**/*.test.ts", "!**/*.testing.ts"],
  suites: suites.map((suite) => `${LIBRARY}/${suite}.test.ts`),
});

export const ROOMS = [
  room("record", [
    "record/protocol",
    "record/valid",
    "record/wire-messages",
    "record/forget",
    "record/rows",
    "record/record",
    "record/port",
    "record/connect",
    "record/direct",
    "record/wire",
    "record/remote",
  ]),
  room("keep", [
    "keep/hours",
    "keep/save-timer",
    "keep/pruning",
    "keep/numbers",
    "keep/starting-sums",
    "keep/announcer",
    "keep/progress",
    "keep/batches",
    "store/stand-in",
    "keep/flow",
    "keep/endings-order",
    "keep/succession",
    "keep/open",
    "keep/answers",
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
    "store/sqlite/trigger",
    "store/sqlite/users",
    "store/sqlite/store",
    "store/contract",
    "store/sqlite/migrations/migrations",
  ]),
];

/** Where Stryker leaves what it found, and begins from when it runs again. @param {string} room */
export const reportOf = (room) => `mutation/reports/${room.replace("/", "-")}.json`;

/** The one that runs now: `mutation/run.js` names it. */
export const currentRoom = () => ROOMS.find(({ name }) => name === process.env.MUTATED_ROOM);

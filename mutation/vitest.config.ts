import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const LIBRARY = "packages/agent-stats/src";
const source = (path: string) => fileURLToPath(new URL(`../${LIBRARY}/${path}`, import.meta.url));

/** Suites that start processes of their own: these run what was built, where no change is. */
const OTHER_PROCESSES = "**/{endings,lifetime,shared,mistakes,deletion-kills,stuck,upgrade}*.test.ts";
/** The worker thread runs what was built; a zone of the process and a time of its processor need a process of one's own. */
const NOT_IN_A_THREAD = /^(?!.*(worker|this machine's zone|a large save is split))/;

/** What `npm run mutation` runs for each change that it makes: the suites in which such a change can be seen. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  resolve: {
    alias: [
      { find: "agent-stats/contract", replacement: source("store/contract.ts") },
      { find: "agent-stats/sqlcipher", replacement: source("store/sqlcipher/store.ts") },
      { find: "agent-stats/sqlite", replacement: source("store/sqlite/store.ts") },
      { find: /^agent-stats$/, replacement: source("index.ts") },
    ],
  },
  test: {
    include: [`${LIBRARY}/{record,keep,store/sqlite}/**/*.test.ts`, `${LIBRARY}/store/contract.test.ts`],
    exclude: [OTHER_PROCESSES],
    testNamePattern: NOT_IN_A_THREAD,
    setupFiles: ["mutation/short-properties.ts"],
    testTimeout: 20_000,
  },
});

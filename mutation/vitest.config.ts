import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { changesIn } from "./changes.js";
import { currentRoom } from "./rooms.js";

const LIBRARY = "packages/agent-stats/src";
const source = (path: string) => fileURLToPath(new URL(`../${LIBRARY}/${path}`, import.meta.url));

const room = currentRoom();
const { changes, code } = await changesIn(room.name);
appendFileSync(room.log, `${JSON.stringify({ changes })}\n`);

/** Vitest begins with the longest suite, and here the first failure is all that is waited for. */
class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => room.suites.findIndex((suite) => moduleId.endsWith(suite));
    return [...files].sort((a, b) => place(a) - place(b));
  }
}

/** What `npm run mutation` runs: the suites in which a change of a room can be seen, over code that holds all changes. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  plugins: [
    {
      name: "changes",
      enforce: "pre",
      transform: (_, id) => ({ code: code.get(id.split("?")[0] ?? "") ?? _, map: null }),
    },
  ],
  resolve: {
    alias: [
      { find: "agent-stats/contract", replacement: source("store/contract.ts") },
      { find: "agent-stats/sqlcipher", replacement: source("store/sqlcipher/store.ts") },
      { find: "agent-stats/sqlite", replacement: source("store/sqlite/store.ts") },
      { find: /^agent-stats$/, replacement: source("index.ts") },
    ],
  },
  test: {
    include: [...room.suites],
    setupFiles: ["mutation/setup.ts"],
    runner: "mutation/trials.ts",
    // One thread, in which all is loaded once: a change is switched on, not loaded.
    pool: "threads",
    isolate: false,
    maxWorkers: 1,
    maxConcurrency: 1,
    sequence: { sequencer: QuickestFirst },
    testTimeout: 6_000,
    // A change may well throw where no test waits for it.
    dangerouslyIgnoreUnhandledErrors: true,
    onConsoleLog: () => false,
    reporters: [{}],
  },
});

import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { currentRoom, ROOMS } from "./rooms.js";

const LIBRARY = "packages/agent-stats/src";
const source = (path: string) => fileURLToPath(new URL(`../${LIBRARY}/${path}`, import.meta.url));

const suites = (currentRoom() === undefined ? ROOMS : [currentRoom()]).flatMap((room) => room?.suites ?? []);

/** Vitest begins with the longest suite, and here the first failure is all that is waited for. */
class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => suites.findIndex((suite) => moduleId.endsWith(suite));
    return [...files].sort((a, b) => place(a) - place(b));
  }
}

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
    include: suites,
    setupFiles: ["mutation/setup.ts"],
    // Every trial begins with a thread of its own; within it, the suites share what they load.
    isolate: false,
    sequence: { sequencer: QuickestFirst },
    testTimeout: 20_000,
  },
});

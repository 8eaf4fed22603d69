import { defineConfig } from "vitest/config";

/** The viewer in a real Chromium, one page after the other: a busy machine must not look like a slow page. */
export default defineConfig({
  test: {
    include: ["packages/cli/src/viewer/browser*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});

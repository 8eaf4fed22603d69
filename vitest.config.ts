import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "tests/**/*.test.ts", "examples/**/*.test.ts", "faults/**/*.test.ts"],
    // What needs a browser runs by itself: npm run test:browser.
    exclude: ["**/node_modules/**", "**/dist/**", "packages/cli/src/viewer/browser*.test.ts"],
    // Processes, not threads: tests load native drivers, kill children and listen for signals.
    pool: "forks",
    // Real files, brokers and processes on a busy machine with two cores.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    coverage: { include: ["packages/*/src/**/*.ts"], exclude: ["**/*.test.ts"] },
  },
});

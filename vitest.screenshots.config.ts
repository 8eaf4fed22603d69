import { defineConfig } from "vitest/config";

/** Makes the pictures of docs/screenshots/. */
export default defineConfig({
  test: { include: ["packages/cli/src/viewer/screenshots.testing.ts"], pool: "forks", testTimeout: 300_000 },
});

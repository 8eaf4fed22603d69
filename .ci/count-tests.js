// Prints one line, the sum over the result files of vitest's JSON reporter: "N passed, N failed, N skipped".
import { readFileSync } from "node:fs";

/**
 * @typedef {{ status: string, assertionResults: { status: string }[] }} TestFile
 * @typedef {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, testResults: TestFile[] }} Result
 */

/**
 * A file that failed as a whole, e.g. because it could not be loaded, has no failed test of its own: it counts as one.
 *
 * @param {readonly Result[]} results
 */
export function count(results) {
  const sum = (/** @type {(result: Result) => number} */ of) =>
    results.reduce((total, result) => total + of(result), 0);
  const unloaded = (/** @type {Result} */ { testResults }) =>
    testResults.filter(
      ({ status, assertionResults }) =>
        status === "failed" && !assertionResults.some((assertion) => assertion.status === "failed"),
    ).length;
  return {
    passed: sum((result) => result.numPassedTests),
    failed: sum((result) => result.numFailedTests + unloaded(result)),
    skipped: sum((result) => result.numPendingTests),
  };
}

if (process.argv[1]?.endsWith("count-tests.js")) {
  const { passed, failed, skipped } = count(
    process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, "utf8"))),
  );
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
}

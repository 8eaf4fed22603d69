import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Instrumenter } from "@stryker-mutator/instrumenter";

const LIBRARY = fileURLToPath(new URL("../packages/agent-stats/src/", import.meta.url));

/**
 * One place where the code is changed. `key` is the same as long as its line is: what is known of it outlives an edit
 * elsewhere.
 *
 * @typedef {{ id: string, key: string, file: string, line: number, text: string, mutator: string, replacement: string }} Change
 */

const LOG = {
  ...{ isTraceEnabled: () => false, isDebugEnabled: () => false, isInfoEnabled: () => false },
  ...{ isWarnEnabled: () => false, isErrorEnabled: () => false, isFatalEnabled: () => false },
  ...{ trace() {}, debug() {}, info() {}, warn() {}, error: console.error, fatal: console.error },
};

/**
 * All changes that Stryker makes in a room, and the code with all of them in it: one at a time is switched on.
 *
 * @param {string} room
 */
export async function changesIn(room) {
  const names = readdirSync(join(LIBRARY, room), { recursive: true, encoding: "utf8" }).sort();
  const sources = names.filter((name) => name.endsWith(".ts") && !/\.(test|testing)\.ts$/.test(name));
  const files = sources.map((source) => {
    const name = join(LIBRARY, room, source);
    return { name, mutate: true, content: readFileSync(name, "utf8") };
  });
  const options = { plugins: null, excludedMutations: [], ignorers: [] };
  const made = await new Instrumenter(LOG).instrument(files, options);
  const lines = new Map(files.map(({ name, content }) => [name, content.split("\n")]));
  /** @type {Map<string, number>} */
  const seen = new Map();
  const changes = made.mutants.map(({ id, fileName, location: { start, end }, mutatorName, replacement }) => {
    const text = lines.get(fileName)?.[start.line]?.trim() ?? "";
    const file = fileName.slice(LIBRARY.length);
    const words = [file, text, start.column, end.line - start.line, end.column, mutatorName, replacement].join(" | ");
    seen.set(words, (seen.get(words) ?? 0) + 1);
    const key = `${words} | ${seen.get(words)}`;
    return { id, key, file, line: start.line + 1, text, mutator: mutatorName, replacement };
  });
  return { changes, code: new Map(made.files.map(({ name, content }) => [name, content])) };
}

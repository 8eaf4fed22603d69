import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { arrowsOf } from "./support/arrows.ts";
import { browserProblems, cycles, outsideProblems, roomProblems } from "./support/rooms.ts";
import { type Files, foldersIn, ROOT, readFiles } from "./support/tree.ts";

const LIBRARY = "packages/agent-stats/src";

/** Programs that use the library from outside, as anybody would. */
const OUTSIDE = ["packages/cli/src", "examples", "bench", "faults"];

const LONGEST_FILE_LINES = 300;

/** Files that are longer, each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};

/** What is built. `*.test.ts` are suites, and `*.testing.ts` what they share: they may reach for anything. */
const isSource = (path: string) => /(?<!\.test|\.testing)\.tsx?$/.test(path);
const isCode = (path: string) => /\.(ts|tsx|js|css|html|sh)$|^\.ci\//.test(path);

/** Files that break a rule, so that each check is seen to find what it looks for. */
const made = (files: Readonly<Record<string, string>>): Files => new Map(Object.entries(files));

describe("the library's arrows", () => {
  const files = readFiles(LIBRARY, isSource);
  const arrows = arrowsOf(files);

  test("the sources are found", () => {
    expect(files.has("index.ts")).toBe(true);
    expect(arrows.length).toBeGreaterThan(10);
  });

  test("run as DESIGN draws them, and every export is named", () => {
    expect(roomProblems(arrows)).toEqual([]);
  });

  test("run in no circle", () => {
    expect(cycles(arrows)).toEqual([]);
  });

  test("lead from nothing that runs in browsers to Node", () => {
    expect(browserProblems(arrows, files)).toEqual([]);
  });

  test("control: every way to name another file is seen, and none in a comment or a string", () => {
    const text = `
      import type { A } from "../record/a.ts";
      import { type B } from "./b.ts";
      import "node:fs";
      export { c } from "./c.ts";
      export type * from "./d.ts";
      type E = import("./e.ts").E;
      const f = await import("mqtt");
      const g = await import(name);
      const h = new Worker(new URL("./h.ts", import.meta.url));
      // import "./never.ts";
      const i = 'import "./never.ts"';`;
    expect(arrowsOf(made({ "keep/x.ts": text })).map(({ to, typeOnly, star }) => [to, typeOnly, star])).toEqual([
      ["record/a.ts", true, false],
      ["keep/b.ts", false, false],
      ["node:fs", false, false],
      ["keep/c.ts", false, false],
      ["keep/d.ts", true, true],
      ["keep/e.ts", true, false],
      ["mqtt", false, false],
      ["(computed)", false, false],
      ["keep/h.ts", false, false],
    ]);
  });

  test.each([
    ["record names the store", "record/a.ts", 'import type { Store } from "../store/store.ts";'],
    ["record names a package", "record/a.ts", 'import type { X } from "mqtt";'],
    ["store names the keeper", "store/a.ts", 'import { keep } from "../keep/keeper.ts";'],
    ["keep names one store", "keep/a.ts", 'import { memoryStore } from "../store/memory.ts";'],
    ["keep names Node", "keep/a.ts", 'import { readFile } from "node:fs";'],
    ["keep loads what cannot be told", "keep/a.ts", "await import(name);"],
    ["summarise loads the recorder", "summarise/a.ts", 'import { Recorder } from "../record/recorder.ts";'],
    ["summarise loads it by a type's import", "summarise/a.ts", 'import { type Row } from "../record/row.ts";'],
    ["summarise names the keeper", "summarise/a.ts", 'import type { Kept } from "../keep/keeper.ts";'],
    ["keep names an agent", "keep/a.ts", 'import { countMqtt } from "../agents/mqtt.ts";'],
    ["export names an agent", "export/a.ts", 'import { countMqtt } from "../agents/mqtt.ts";'],
    ["an agent names one store", "agents/a.ts", 'import { memoryStore } from "../store/memory.ts";'],
    ["a file leaves the library", "store/a.ts", 'import { main } from "../../../cli/src/main.ts";'],
    ["the table of contents exports all", "index.ts", 'export * from "./record/recorder.ts";'],
    ["a folder is no room", "helpers/a.ts", 'import { x } from "./b.ts";'],
  ])("control: it is seen when %s", (_, path, text) => {
    expect(roomProblems(arrowsOf(made({ [path]: text })))).toHaveLength(1);
  });

  test("control: what DESIGN allows is allowed", () => {
    const allowed = made({
      "store/sqlite.ts": 'import { a } from "../record/a.ts"; import { b } from "node:fs"; import { c } from "./c.ts";',
      "keep/keeper.ts": 'import { S } from "../store/store.ts"; import { sum } from "../summarise/sum.ts";',
      "summarise/sum.ts": 'import type { Row } from "../store/store.ts"; import { x } from "./x.ts";',
      "agents/mqtt.ts": 'import type { MqttClient } from "mqtt"; import { Recorder } from "../record/recorder.ts";',
      "index.ts": 'export { memoryStore } from "./store/memory.ts";',
    });
    expect(roomProblems(arrowsOf(allowed))).toEqual([]);
  });

  test("control: a circle is seen, through types too", () => {
    const files = made({
      "record/a.ts": 'import { b } from "./b.ts";',
      "record/b.ts": 'import { c } from "./c.ts";',
      "record/c.ts": 'import type { A } from "./a.ts";',
      "record/d.ts": 'import { a } from "./a.ts"; import { b } from "./b.ts";',
    });
    expect(cycles(arrowsOf(files))).toEqual(["record/a.ts → record/b.ts → record/c.ts → record/a.ts"]);
  });

  test.each([
    ["a module of Node", { "record/a.ts": 'import { cpus } from "node:os";' }],
    ["a module of Node without its prefix", { "record/a.ts": 'import { cpus } from "os";' }],
    [
      "one by way of a store",
      { "store/memory.ts": 'import { x } from "./file.ts";', "store/file.ts": 'import "node:fs";' },
    ],
    ["a global of Node", { "keep/a.ts": 'process.on("exit", save);' }],
    ["a global of Node beside a member of its name", { "keep/a.ts": "x.process; send({ process: 1 }, process);" }],
    ["a module of Node in the file of its endings", { "keep/endings.ts": 'import "node:process"; process.exit();' }],
  ])("control: %s is seen where browsers run", (_, files) => {
    expect(browserProblems(arrowsOf(made(files)), made(files))).toHaveLength(1);
  });

  test("control: Node is allowed where only Node runs, and process where its absence is noticed", () => {
    const files = made({
      "store/sqlcipher.ts": 'import { Worker } from "node:worker_threads"; process.exit(1);',
      "store/memory.ts": 'import type { Options } from "./sqlcipher.ts";',
      "keep/a.ts": "const { process } = globalThis; process?.on('exit', save);",
      "keep/b.ts": "globalThis.process?.exit();",
      "keep/c.ts": 'if (typeof process !== "undefined") process.emitWarning("…");',
    });
    expect(browserProblems(arrowsOf(files), files)).toEqual([]);
  });
});

describe("programs outside the library", () => {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "packages/agent-stats/package.json"), "utf8"));
  const publicNames = Object.keys(exports).map((subpath) => `agent-stats${subpath.slice(1)}`);

  test.each(OUTSIDE)("%s uses the public names only", (folder) => {
    expect(outsideProblems(arrowsOf(readFiles(folder, (path) => path.endsWith(".ts"))), publicNames)).toEqual([]);
  });

  test.each([
    ["a path into the library", 'import { Recorder } from "../../agent-stats/src/record/recorder.ts";'],
    ["a file that it does not export", 'import { Recorder } from "agent-stats/dist/record/recorder.js";'],
  ])("control: %s is seen", (_, text) => {
    expect(outsideProblems(arrowsOf(made({ "main.ts": text })), publicNames)).toHaveLength(1);
  });

  test("control: public names and files of its own are allowed", () => {
    const text = 'import { Recorder } from "agent-stats"; import { s } from "agent-stats/sqlcipher"; import "../x.ts";';
    expect(outsideProblems(arrowsOf(made({ "show/main.ts": text })), publicNames)).toEqual([]);
  });
});

describe("ARCHITECTURE.md", () => {
  const unnamed = (folders: readonly string[], text: string) =>
    folders.filter((folder) => !new RegExp(`(?<![\\w.-])${folder.replaceAll(".", "\\.")}/`).test(text));

  test("names every folder", () => {
    const path = join(ROOT, "ARCHITECTURE.md");
    expect(existsSync(path), "ARCHITECTURE.md is missing").toBe(true);
    const folders = [".", "packages", LIBRARY, "packages/cli/src", "examples", "faults", "bench"].flatMap(foldersIn);
    expect(folders).toContain("record");
    expect(unnamed(folders, readFileSync(path, "utf8"))).toEqual([]);
  });

  test("control: a folder that is not named is seen, one that only ends like another too", () => {
    expect(unnamed(["record", "store", ".ci"], "packages/x/src/record/ counts; bookstore/ and .ci/run")).toEqual([
      "store",
    ]);
  });
});

describe("files", () => {
  const lengths = (files: Files) =>
    [...files].map(([path, text]) => [path, text.trimEnd().split("\n").length] as const);
  const tooLong = (files: Files, excused: Readonly<Record<string, string>>) =>
    lengths(files).filter(([path, lines]) => lines > LONGEST_FILE_LINES && !excused[path]);

  test(`have at most ${LONGEST_FILE_LINES} lines, or a reason`, () => {
    expect(tooLong(readFiles(".", isCode), LONG_FILES)).toEqual([]);
  });

  test("have no reason that is no longer needed", () => {
    const long = tooLong(readFiles(".", isCode), {}).map(([path]) => path);
    expect(Object.keys(LONG_FILES).filter((path) => !long.includes(path))).toEqual([]);
  });

  test("control: a long file is seen, and one with a reason passes", () => {
    const files = made({ "a.ts": "\n".repeat(300).concat("x"), "b.ts": "\n".repeat(300).concat("x"), "c.ts": "x\n" });
    expect(tooLong(files, { "b.ts": "a table of code points" })).toEqual([["a.ts", 301]]);
  });
});

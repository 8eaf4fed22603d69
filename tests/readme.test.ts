import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arrowsOf } from "./support/arrows.ts";
import { type EmptyProject, emptyProject } from "./support/empty-project.ts";
import { ROOT } from "./support/tree.ts";

/** The driver that the README tells users of this Node to install. */
const nodeMajor = Number.parseInt(process.versions.node, 10);
const DRIVER = nodeMajor >= 22 ? "better-sqlite3-multiple-ciphers" : "@signalapp/sqlcipher";

/** Packing, installing, and the program's own time. */
const TIMEOUT_MS = 120_000;

/** The first block of a markdown text that a user of the library would paste: as the JavaScript that it runs as. */
function firstExample(markdown: string): string | null {
  const blocks = markdown.matchAll(/^```(js|ts|javascript|typescript)\b[^\n]*\n(.*?)^```/gms);
  for (const [, language = "", code = ""] of blocks) {
    if (!/from\s+["']agent-stats["']/.test(code)) continue;
    if (language.startsWith("j")) return code;
    const compilerOptions = {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      verbatimModuleSyntax: true,
    };
    return ts.transpileModule(code, { compilerOptions }).outputText;
  }
  return null;
}

/** What the code needs beside the library and Node, e.g. `mqtt`. */
function packagesIn(code: string): string[] {
  const names = arrowsOf(new Map([["pasted.mjs", code]])).map(({ to }) =>
    to.split("/", to.startsWith("@") ? 2 : 1).join("/"),
  );
  const own = (name: string) => name === "agent-stats" || name.startsWith("node:") || builtinModules.includes(name);
  return [...new Set(names.filter((name) => !own(name)))];
}

describe("the README's example", () => {
  let project: EmptyProject;

  beforeAll(async () => {
    project = await emptyProject();
    project.add(DRIVER);
  }, TIMEOUT_MS);

  afterAll(() => project?.remove());

  test(`runs when pasted into an empty project, with ${DRIVER}`, { timeout: TIMEOUT_MS }, async () => {
    const readme = join(ROOT, "README.md");
    expect(existsSync(readme), "README.md is missing").toBe(true);
    const code = firstExample(readFileSync(readme, "utf8"));
    if (code === null) throw new Error('README.md has no js or ts block that imports from "agent-stats"');
    for (const name of packagesIn(code)) project.add(name);
    const { exitCode, stdout, stderr } = await project.run(code);
    expect(exitCode, stderr).toBe(0);
    expect(stdout.trim(), "the example shows nothing").not.toBe("");
  });

  test("control: what is not exported is not there, and nothing is found of this repository", async () => {
    const missing = await project.run('import { neverExported } from "agent-stats";');
    expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("neverExported") });
    const foreign = await project.run('import "vitest";');
    expect(foreign).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("ERR_MODULE_NOT_FOUND") });
  });

  test("control: a package is added with what it depends on", async () => {
    project.add("mqtt");
    const { exitCode, stdout, stderr } = await project.run(
      'import { connect } from "mqtt"; console.log(typeof connect);',
    );
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toBe("function\n");
  });
});

describe("which block is the example", () => {
  test("the first one that imports the library", () => {
    const markdown = '```sh\nnpm i\n```\n```js\nimport "x";\n```\n```js\nimport { a } from "agent-stats";\na();\n```\n';
    expect(firstExample(markdown)).toBe('import { a } from "agent-stats";\na();\n');
  });

  test("without its types, if it has some", () => {
    const markdown = '```ts\nimport { a, type B } from "agent-stats";\nconst b: B = a();\n```\n';
    expect(firstExample(markdown)).toBe('import { a } from "agent-stats";\nconst b = a();\n');
  });

  test("none, where none does", () => {
    expect(firstExample('```js\nimport "mqtt";\n```\n')).toBeNull();
  });

  test("what it needs is read off its imports", () => {
    const code = `import { a } from "agent-stats/mqtt"; import { join } from "node:path"; import "os";
      import { connect } from "mqtt"; import { b } from "@scope/name/sub/path"; await import("mqtt");`;
    expect(packagesIn(code)).toEqual(["mqtt", "@scope/name"]);
  });
});

import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { LINE_NAMES, type LineResult } from "./support/line.ts";
import { inWorkspace } from "./support/paths.ts";
import { drawGrowth } from "./support/plot.ts";
import { jsonLine, keepResults, type NodeResults, RESULTS_MD } from "./support/results.ts";
import { pageOf, quoteOf, textOf, withQuote } from "./support/tables.ts";

const run = promisify(execFile);
const LINE = fileURLToPath(new URL("./once/line.js", import.meta.url));
const PACKAGES = ["@signalapp/sqlcipher", "prom-client", "@opentelemetry/sdk-metrics", "mitata", "esbuild"];
const README = inWorkspace("README.md");
const LONGEST_ANSWER = 64 * 1024 * 1024;

const HELP = `npm run bench [-- --only NAME] [--node VERSION] [--json]

  --only NAME      only this line, or several: --only add --only find
  --node VERSION   on that version of Node, which npx brings, e.g. 24.21.0
  --json           ends with one line of JSON, by the names of the lines

Lines: ${LINE_NAMES.join(", ")}`;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    node: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** The Node that runs the lines, and its version. */
async function nodeOf(version: string | undefined): Promise<{ readonly path: string; readonly version: string }> {
  if (version === undefined) return { path: process.execPath, version: process.versions.node };
  const args = ["-y", "-p", `node@${version}`, "node", "-p", "process.execPath + ' ' + process.versions.node"];
  const { stdout } = await run("npx", args);
  const [path = "", found = ""] = stdout.trim().split(" ");
  return { path, version: found };
}

async function measured(node: string, name: string): Promise<LineResult & { readonly seconds: number }> {
  const { stdout } = await run(node, ["--expose-gc", LINE, name], { maxBuffer: LONGEST_ANSWER });
  return JSON.parse(stdout) as LineResult & { readonly seconds: number };
}

function versionsOf(names: readonly string[]): Record<string, string> {
  const { resolve } = createRequire(import.meta.url);
  const entries = names.map((name) => {
    // Not every package lets its package.json be imported.
    const folder = resolve(name).slice(0, resolve(name).lastIndexOf(`/${name}/`) + name.length + 2);
    const { version } = JSON.parse(readFileSync(`${folder}package.json`, "utf8")) as { version: string };
    return [name, version] as const;
  });
  return Object.fromEntries(entries);
}

async function main(): Promise<void> {
  const names = values.only ?? LINE_NAMES;
  const unknown = names.find((name) => !LINE_NAMES.some((known) => known === name));
  if (values.help || unknown !== undefined) {
    if (unknown !== undefined) process.exitCode = 2;
    console.log(unknown === undefined ? HELP : `There is no line "${unknown}".\n\n${HELP}`);
    return;
  }
  const node = await nodeOf(values.node);
  console.log(`Node ${node.version}; each line in a process of its own`);
  const lines: Record<string, NodeResults["lines"][string]> = {};
  for (const name of names) {
    const { seconds, ...result } = await measured(node.path, name);
    lines[name] = jsonLine(result);
    console.log(`\n${textOf(name, lines[name].figures)}\n  ${seconds.toFixed(0)} s`);
  }
  const flags = [
    ...(values.only ?? []).map((name) => `--only ${name}`),
    ...(values.node ? [`--node ${values.node}`] : []),
  ];
  const command = `npm run bench${flags.length > 0 ? ` -- ${flags.join(" ")}` : ""}`;
  const date = new Date().toISOString().slice(0, 10);
  const results = keepResults(node.version, { date, command, lines }, versionsOf(PACKAGES));
  writeFileSync(RESULTS_MD, pageOf(results, LINE_NAMES));
  writeFileSync(README, withQuote(readFileSync(README, "utf8"), quoteOf(results, LINE_NAMES)));
  // The plots show the machine's own Node.
  if (values.node === undefined) for (const line of Object.values(lines)) drawGrowth(line.growth ?? []);
  if (values.json) console.log(JSON.stringify(lines));
}

await main();

/** Hostile arguments to the command, run in this process by its own entry: an exit code and one sentence, never a stack. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { defineProtocol, openAgentStats } from "agent-stats";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import fc from "fast-check";
import { KEY, LEDGERS } from "../../oracle/canary.ts";
import { serverOf, userOf } from "../../oracle/names.ts";
import { checked, expect, type Fuzz } from "./fuzz.ts";

const MANIFEST = createRequire(import.meta.url).resolve("agent-stats-cli/package.json");
export const MAIN = pathToFileURL(join(dirname(MANIFEST), "dist", "main.js")).href;

/** Those that run until they are ended are left out here. */
const VERBS = [
  "show",
  "sessions",
  "timeline",
  "doctor",
  "explain",
  "report",
  "diff",
  "resolve",
  "export",
  "import",
  "simplex",
  "forget",
  "reset",
  "verify",
  "salvage",
  "completion",
  "help",
  "--help",
  "--version",
  "-h",
];
const FLAGS = [
  "--db",
  "--key-file",
  "--passphrase-file",
  "--json",
  "--by",
  "--from",
  "--to",
  "--user",
  "--server",
  "--protocol",
  "--yes",
  "--format",
  "--out",
  "--keychain",
  "--no-json",
  "--every",
  "--",
  "-",
  "--db=",
  "--unknown",
  "-x",
];

export interface Files {
  readonly db: string;
  readonly key: string;
  /** Where it runs, and is told to write. */
  readonly folder: string;
}

export function argumentsOf({ db, key, folder }: Files): fc.Arbitrary<string[]> {
  const values = [
    db,
    key,
    folder,
    join(folder, "nothing"),
    join(folder, "new", "x.db"),
    "/dev/null",
    "",
    "hour",
    "day",
    "2026-01-01",
    "1",
    "json",
    "9".repeat(400),
  ];
  const word = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...FLAGS) },
    { weight: 3, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 30 }).map((text) => text.replaceAll("\0", "")) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("__proto__", "constructor", "$(id)", "../..", "%00", "💬", "a".repeat(10_000)),
    },
  );
  const good = ["--db", db, "--key-file", key];
  const words = fc.array(word, { maxLength: 6 });
  return fc
    .tuple(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...VERBS) }, word), fc.boolean(), words)
    .map(([verb, withGood, more]) => [verb, ...(withGood ? good : []), ...more])
    .filter((args) => !args.some((arg) => arg === "watch" || arg === "view"));
}

const MOST_EXIT_CODES = 9;

/** What must be true of a run, however it was called. */
export function judgeRun({ code, said }: { readonly code: unknown; readonly said: string }): void {
  expect(
    Number.isInteger(code) && (code as number) >= 0 && (code as number) <= MOST_EXIT_CODES,
    `it ended with ${code}`,
  );
  expect(!said.includes("UNEXPECTED"), `it met what nobody foresaw: ${said.slice(0, 300)}`);
  expect(!/^\s+at .+:\d+:\d+\)?$/m.test(said), `it showed a stack: ${said.slice(0, 300)}`);
  expect(!said.includes(KEY), "it showed the key");
}

export async function makeFiles(folder: string): Promise<Files> {
  mkdirSync(folder, { recursive: true });
  // What it is told to export stands in the open, and the key's own file is no leak.
  const told = join(folder, LEDGERS);
  const [db, key] = [join(folder, "stats.db"), join(told, "key")];
  mkdirSync(told, { recursive: true });
  writeFileSync(key, KEY, { mode: 0o600 });
  const protocol = defineProtocol("smp", { sent: "messages sent" });
  const stats = await openAgentStats({
    protocols: [protocol],
    store: sqlcipherStore({ file: db, key: KEY, thread: "same" }),
  });
  stats.server(protocol, userOf(1), serverOf(1)).add("sent", 5);
  await stats.close();
  return { db, key, folder: told };
}

let runs = 0;

async function runHere(args: readonly string[]): Promise<{ readonly code: unknown; readonly said: string }> {
  let said = "";
  const [out, error, argv] = [process.stdout.write, process.stderr.write, process.argv];
  const heard = ((text: string | Uint8Array) => {
    said += String(text);
    return true;
  }) as typeof process.stdout.write;
  process.stdout.write = heard;
  process.stderr.write = heard;
  process.argv = [argv[0] ?? "node", "agent-stats", ...args];
  process.exitCode = 0;
  try {
    await import(`${MAIN}?run=${++runs}`);
    return { code: process.exitCode, said };
  } finally {
    process.stdout.write = out;
    process.stderr.write = error;
    process.argv = argv;
    process.exitCode = 0;
  }
}

export const fuzzCommands: Fuzz = async (order) => {
  for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
  const folder = join(order.folder, "cli");
  const files = await makeFiles(folder);
  process.chdir(files.folder);
  return checked(order, argumentsOf(files), async (args) => judgeRun(await runHere(args)));
};

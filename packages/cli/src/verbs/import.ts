import { readFileSync } from "node:fs";
import type { Imported, SimplexNote, SimplexStats } from "agent-stats/simplex";
import type { CliContext } from "../context.ts";
import { CliError, warningOf } from "../errors.ts";
import type { ImportFlags } from "../flags.ts";
import { findKey } from "../key.ts";
import { isSimplexDatabase } from "../simplex-file.ts";
import { openForSimplex } from "../simplex-store.ts";
import { warnOfKey } from "../source.ts";
import { formatTime } from "../text/times.ts";

/** `agent-stats import simplex FILE…`: what a SimpleX core counted, into a database of ours. */
export async function importSimplexFiles(this: CliContext, flags: ImportFlags, ...files: string[]): Promise<void> {
  if (files.length === 0) throw new CliError("USAGE", "A file is needed: agent-stats import simplex FILE --db FILE …");
  if (flags.keyFile === "-" && flags.passphraseFile === "-") {
    throw new CliError("USAGE", "Only one of the two can come from stdin: name a file for the other.");
  }
  const { passphraseFile: _, ...ownKey } = flags;
  const found = await findKey(ownKey);
  const core = flags.passphraseFile === undefined ? null : await findKey({ passphraseFile: flags.passphraseFile });
  const passphrase = (core?.key as { readonly passphrase: string } | undefined)?.passphrase;
  warnOfKey(this, found.openToOthers || core?.openToOthers === true);

  // All are read before any is imported: a file that is refused leaves everything as it was.
  const all: SimplexStats[] = [];
  for (const [index, file] of files.entries()) {
    all.push(await named(index, files.length, () => readStats(file, flags.user, passphrase)));
  }
  const { store, release } = await openForSimplex(flags, found.key);
  const done: Imported[] = [];
  try {
    const { importSimplex } = await import("agent-stats/simplex");
    for (const [index, stats] of all.entries()) {
      done.push(await named(index, files.length, () => importSimplex(store, stats)));
    }
  } finally {
    await release();
  }
  const results = all.map((stats, i) => resultOf(stats, done[i] as Imported));
  for (const result of results) for (const warning of warningsOf(result)) this.process.stderr.write(`${warning}\n`);
  this.process.stdout.write(flags.json ? `${JSON.stringify({ files: results })}\n` : textOf(results));
}

async function readStats(file: string, user?: string, passphrase?: string): Promise<SimplexStats> {
  const { parseSimplex } = await import("agent-stats/simplex");
  const options = user === undefined ? {} : { currentUser: user };
  if (!isSimplexDatabase(file)) return parseSimplex(readFileSync(file, "utf8"), options);
  const { readSimplexDatabase } = await import("agent-stats/simplex-db");
  return parseSimplex(await readSimplexDatabase(passphrase === undefined ? { file } : { file, passphrase }), options);
}

/** Says which file it was; its path could be taken for a key that went to the wrong place. */
async function named<T>(index: number, count: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    if (code === undefined || !IMPORT_CODES.has(code)) throw error;
    throw new CliError(code as "SIMPLEX_MALFORMED", `File ${index + 1} of ${count}: ${message}`);
  }
}

const IMPORT_CODES: ReadonlySet<string> = new Set([
  "SIMPLEX_MALFORMED",
  "SIMPLEX_OVERLAP",
  "IMPORT_UNREADABLE",
  "STATS_MISSING",
  "STATS_KEY_REJECTED",
  "STATS_DAMAGED",
]);

type Result = ReturnType<typeof resultOf>;

/** What `--json` prints of each file. */
function resultOf(
  { layout, startedAt, currentUser, unknown, missing, inconsistent }: SimplexStats,
  { changed, wentBack, othersLeftOut, users, servers }: Imported,
) {
  const did = { changed, wentBack, othersLeftOut, users, servers };
  return { layout, startedAt, currentUser, ...did, unknown, missing, inconsistent };
}

function warningsOf({ wentBack, othersLeftOut }: Result): string[] {
  return [
    ...(wentBack
      ? [
          warningOf(
            "the numbers are smaller than those imported before: they are counted as begun anew. Was it an older file?",
            "SIMPLEX_WENT_BACK",
          ),
        ]
      : []),
    ...(othersLeftOut
      ? [warningOf("numbers of all users together were left out: some users are there by name.", "SIMPLEX_OTHERS")]
      : []),
  ];
}

function textOf(results: readonly Result[]): string {
  const lines = results.flatMap(({ layout, startedAt, changed, users, servers, ...notes }, i) => [
    `file ${i + 1} of ${results.length}: ${changed ? "imported" : "nothing new"}`,
    `  ${plural(users, "user")}, ${plural(servers, "server")}, ${LAYOUTS[layout]}`,
    `  counted by the core since ${startedAt ? formatTime(startedAt) : "a date that it does not tell"}`,
    ...notesOf("missing, so zero", notes.missing),
    ...notesOf("unknown, kept where it is a counter", notes.unknown),
    ...notesOf("total that is not the sum of its servers", notes.inconsistent),
  ]);
  return `${lines.join("\n")}\n`;
}

function notesOf(what: string, notes: readonly SimplexNote[]): string[] {
  return notes.map(({ path, count }) => `  ${what}: ${path}${count === 1 ? "" : ` (${count} times)`}`);
}

const LAYOUTS: Readonly<Record<SimplexStats["layout"], string>> = {
  persisted: "as the core saves it",
  agent: "as the core's agent tells it",
  presented: "as the app shows it",
  "presented-5.8-servers": "as an early version of the app shows it",
  "presented-5.8-summary": "as the first version of the app shows it",
};

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

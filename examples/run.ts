/**
 * Plays one script with all four options of the RFC: `npm run examples`. Exit code 0 when each of them shows the
 * numbers that must be, and so all show the same; 1 when not; 2 for a flag that is none.
 */

import { stderr, stdout } from "node:process";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { measureAll } from "./measure.ts";
import { endAllChildren, startBrokers } from "./shared/children.ts";
import { newFolder, removeFolders } from "./shared/folders.ts";
import { livesOf, OPTIONS, type Outcome, playOption, settingsFor } from "./shared/option.ts";
import type { Step } from "./shared/script.ts";
import type { SentByUser } from "./shared/views.ts";

const USAGE = `npm run examples -- [--json | --measure]

  --json     the last line of stdout is one JSON array, one entry an option
  --measure  measures what the options cost, and writes the table into
             docs/choosing.md; takes some three minutes`;

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
const BROKERS = 2;
const HERE = new URL(".", import.meta.url);

const TITLES = {
  1: "the chat's database, the agent counts its session",
  2: "the chat's database, the agent starts from the past",
  3: "the agent's database, the agent counts its session",
  4: "the agent's database, the agent starts from the past",
} as const;

async function playAll(line: (text: string) => void): Promise<Outcome[]> {
  const servers = await startBrokers(BROKERS, HERE);
  const outcomes: Outcome[] = [];
  for (const option of OPTIONS) {
    line(`\nOption ${option}: ${TITLES[option]}`);
    const lives = livesOf(option, settingsFor(newFolder(), servers), HERE);
    const outcome = await playOption(option, lives, servers, (step) => line(textOf(step)));
    if (!outcome.ok) line(`  WRONG: ${outcome.error ?? "not the numbers that must be"}`);
    outcomes.push(outcome);
  }
  return outcomes;
}

function textOf({ name, past, session, overall }: Step): string {
  const sums = (numbers: SentByUser) => {
    const all = Object.values(numbers);
    const sum = (of: "sent" | "attempts") => all.reduce((total, each) => total + each[of], 0);
    return `${sum("sent")} of ${sum("attempts")}`.padEnd(11);
  };
  return `  ${name.padEnd(22)}past ${sums(past)}session ${sums(session)}overall ${sums(overall)}`.trimEnd();
}

async function main(): Promise<void> {
  const { json, measure, help } = flags();
  if (help) return console.log(USAGE);
  if (measure) return measureAll(HERE, (text) => stdout.write(`${text}\n`));
  const out = json ? stderr : stdout;
  const outcomes = await playAll((text) => out.write(`${text}\n`));
  const same = outcomes.every(({ steps }) => isDeepStrictEqual(steps, outcomes[0]?.steps));
  const ok = same && outcomes.every((outcome) => outcome.ok);
  out.write(ok ? "\nAll four options show the same numbers at every step.\n" : "\nThe options differ.\n");
  if (json) stdout.write(`${JSON.stringify(outcomes)}\n`);
  process.exitCode = ok ? 0 : 1;
}

function flags() {
  const flag = { type: "boolean", default: false } as const;
  try {
    return parseArgs({ options: { json: flag, measure: flag, help: flag } }).values;
  } catch (error) {
    // The parser's own first sentence says which flag it is.
    stderr.write(
      `${(error as Error).message.split(/\.\s|\n/)[0]?.replace(/\.$/, "")}: see npm run examples -- --help.\n`,
    );
    process.exit(2);
  }
}

process.on("exit", () => {
  endAllChildren();
  removeFolders();
});
for (const [signal, number] of Object.entries(SIGNALS)) process.on(signal, () => process.exit(128 + number));

try {
  await main();
} finally {
  // The brokers' channels would keep this process from ending.
  endAllChildren();
}

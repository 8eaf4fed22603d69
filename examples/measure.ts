/** What the four options cost, measured: `npm run examples -- --measure` writes it into docs/choosing.md. */

import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { startBrokers } from "./shared/children.ts";
import { LOAD_NUMBERS } from "./shared/load.ts";
import { type Contention, INSERTS, measureContention, ROUNDS, SAVE_EVERY_MS } from "./shared/measure-contention.ts";
import { countedBefore, type Lost, measureEndings } from "./shared/measure-endings.ts";
import { type Amount, IDLE_INTERVALS, type Messages, measureMessages } from "./shared/measure-messages.ts";
import { OPTIONS } from "./shared/option.ts";

const PAGE = new URL("../../docs/choosing.md", import.meta.url);
const BEGIN = "<!-- measured: begin -->";
const END = "<!-- measured: end -->";
const BROKERS = 2;

/** @param programs the folder of the built examples */
export async function measureAll(programs: URL, line: (text: string) => void): Promise<void> {
  // Before anything of this runs: what others do on the machine is the noise in the numbers.
  const [load = 0] = loadavg();
  const machine = `Node.js ${process.versions.node}, ${cpus().length} processors, ${load.toFixed(1)} of them busy with other work at the beginning.`;
  line("messages between agent and chat …");
  const messages = await measureMessages();
  const servers = await startBrokers(BROKERS, programs);
  const lost: Lost[] = [];
  for (const option of OPTIONS) {
    line(`what the end of the chat loses in option ${option} …`);
    lost.push(await measureEndings(option, servers, programs));
  }
  const contention = await measureContention(programs, (round) => line(`contention, round ${round} of ${ROUNDS} …`));
  const text = [contentionText(contention), optionsText(messages, lost, countedBefore(servers)), machine].join("\n\n");
  line(`\n${text}`);
  writeFileSync(PAGE, between(readFileSync(PAGE, "utf8"), text));
}

/** The page with another text between its markers. */
function between(page: string, text: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error("docs/choosing.md has lost the markers between which the numbers stand");
  return `${page.slice(0, from)}${BEGIN}\n\n${text}\n\n${page.slice(to)}`;
}

function contentionText(contention: readonly Contention[]): string {
  const rows = contention.map(({ title, p50, p99, heldMs }) => [
    title,
    ...[p50, p99].flatMap((each) => [`${each.ms.toFixed(2)} ms`, ratioText(each)]),
    heldMs === null ? "–" : `${heldMs.toFixed(1)} ms`,
  ]);
  return [
    `**Storing one chat message**, while the agent changes ${LOAD_NUMBERS} numbers and they are saved every`,
    `${SAVE_EVERY_MS} ms: a hundred times as often as by default. Medians of ${ROUNDS} rounds of ${INSERTS} messages; the`,
    "ratios are to the first line in the same round, with the lowest and the highest in brackets.",
    "",
    table(["the statistics are kept", "p50", "ratio", "p99", "ratio", "a save holds the chat's thread"], rows),
  ].join("\n");
}

function ratioText({ ratio, lowest, highest }: Contention["p50"]): string {
  return `× ${ratio.toFixed(1)} (${lowest.toFixed(1)}–${highest.toFixed(1)})`;
}

function optionsText({ perSave, perLook, idle, pastBytes }: Messages, lost: readonly Lost[], counted: number): string {
  const chat = amount(perSave);
  const loss = (signal: keyof Lost) => lost.map((each) => `${each[signal]}`);
  const rows = [
    ["the agent of the example is", "a worker thread", "a process", "a process", "a worker thread"],
    ["lines of code in the chat", ...OPTIONS.map((option) => codeLines(option, "chat"))],
    ["lines of code in the agent", ...OPTIONS.map((option) => codeLines(option, "agent"))],
    ["handed over at the start", "nothing", kilobytes(pastBytes), "nothing", "nothing"],
    [`messages for a save of ${LOAD_NUMBERS} numbers`, chat, chat, "0", "0"],
    [`messages in ${IDLE_INTERVALS} idle intervals`, amount(idle), amount(idle), "0", "0"],
    ["messages to look at everything", amount(perLook), amount(perLook), "2, your own", "2, your own"],
    [`lost of ${counted}, just counted, when the chat gets SIGTERM`, ...loss("SIGTERM")],
    [`lost of ${counted}, just counted, when only the chat gets SIGKILL`, ...loss("SIGKILL")],
  ];
  const heads = ["", ...OPTIONS.map((option) => `option ${option}`)];
  return ["**Each option**, as the programs in `examples/` wire it.", "", table(heads, rows)].join("\n");
}

function amount({ messages, bytes }: Amount): string {
  return messages === 0 ? "0" : `${messages} (${kilobytes(bytes)})`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}

/** Lines of a program that are neither empty nor comment. */
function codeLines(option: number, program: "chat" | "agent"): string {
  const source = readFileSync(new URL(`../option-${option}/${program}.ts`, import.meta.url), "utf8");
  return String(source.split("\n").filter((line) => !/^\s*(\/\/|\/\*|\*|$)/.test(line)).length);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [row(heads), row(heads.map(() => "---")), ...rows.map(row)].join("\n");
}

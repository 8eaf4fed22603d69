/** Everything that is printed, for a terminal of 80 columns. */

import type { Evidence, RunEvidence, Verdict } from "./evidence.ts";
import type { Places } from "./folder.ts";
import { type Plan, type RunEnding, type RunPlan, USERS } from "./plan.ts";
import { type Screen, wrap } from "./screen.ts";
import { type Bound, linesOf, sumsOf } from "./sums.ts";

const right = (value: string | number, width: number): string => String(value).padStart(width);
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
const duration = (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`);
const plainServer = (server: string): string => server.replace("mqtt://", "");

export function showOpening(screen: Screen, plan: Plan, places: Places): void {
  screen.line();
  screen.line(screen.style("bold", "  agent-stats: what is counted survives"));
  screen.line();
  const story =
    `Two users write to each other through three MQTT brokers, ${plan.messagesPerSecond} messages a second. ` +
    "A host process counts them with agent-stats, which saves them into an encrypted file " +
    `every ${duration(plan.flushEveryMs)}. The host is killed twice, crashes, is told to stop, and closes. ` +
    "Then another process reads the file, and it is held against what the brokers saw.";
  for (const line of wrap(story, "  ")) screen.line(line);
  screen.line();
  screen.line(`  folder   ${places.folder}`);
}

export function showBrokers(screen: Screen, servers: readonly string[]): void {
  screen.line(`  brokers  ${servers.map(plainServer).join("  ")}`);
  heading(screen, "FIVE RUNS OF THE HOST", "messages out and in");
  screen.line(screen.style("dim", `  ${"".padEnd(34)}counted   in the file    lost   at most`));
}

const ENDINGS: Readonly<Record<RunEnding, string>> = {
  SIGKILL: "killed (SIGKILL)",
  exception: "uncaught exception",
  SIGTERM: "stopped (SIGTERM)",
  close: "closed",
};

const BAR = 16;

export function showProgress(
  screen: Screen,
  { run, ending, sendForMs }: RunPlan,
  { sentForMs, messages, past }: { readonly sentForMs: number; readonly messages: number; readonly past: number },
): void {
  const filled = Math.min(BAR, Math.round((sentForMs / sendForMs) * BAR));
  const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
  const counted = `${right(messages, 5)} out and in, ${past} before`;
  screen.live(`  ${run}  ${bar} ${seconds(sentForMs)} ${counted}; then ${ending}`);
}

/** One line a run: what the host's own log says was counted, and what of it the file holds. */
export function showRun(screen: Screen, run: RunEvidence, before: RunEvidence | undefined, bound: Bound): void {
  const { counted, kept, mayMiss } = sumsOf(run, before, bound);
  const what = `${ENDINGS[run.ending]} after ${seconds(run.sentForMs)}`;
  const numbers = right(counted, 9) + right(kept, 14) + right(counted - kept, 8) + right(mayMiss, 10);
  screen.line(`  ${run.run}  ${what.padEnd(29)}${numbers}`);
}

export function showServers(screen: Screen, evidence: Evidence): void {
  heading(screen, "THE FILE, READ BY ANOTHER PROCESS", "beside what the brokers saw");
  screen.line(screen.style("dim", `  ${"".padEnd(29)}   past session overall   brokers  short  at most`));
  const lines = linesOf(evidence);
  for (const user of USERS) {
    screen.line(`  ${screen.style("bold", user)}`);
    for (const line of lines.filter(({ userId }) => userId === user)) {
      const server = line.name === "sent" ? plainServer(line.server) : "";
      const counts = right(line.past, 7) + right(line.session, 8) + screen.style("bold", right(line.overall, 8));
      const truth = right(line.brokers, 10) + right(line.brokers - line.overall, 7) + right(line.atMost, 9);
      screen.line(`    ${server.padEnd(18)}${line.name.padEnd(9)}${counts}${truth}`);
    }
  }
  const notes = [
    "brokers: what they accepted from that user, or delivered to that user.",
    "at most: what was counted just before the two kills (the time between two saves, and one save), and what was on " +
      "its way between broker and host when a run was cut.",
  ];
  for (const line of notes.flatMap((note) => wrap(note, "  "))) screen.line(screen.style("dim", line));
}

export function showSessions(screen: Screen, evidence: Evidence): void {
  heading(screen, "THE SESSIONS, AS THE FILE TELLS THEM");
  screen.line(screen.style("dim", "     started     last saved  ended       how        can have lost"));
  const time = (text: string | null) =>
    (text === null ? "unknown" : new Date(text).toTimeString().slice(0, 8)).padEnd(12);
  for (const { session, started, lastSaved, ended, how, canHaveLostMs } of evidence.runs.at(-1)?.reading.sessions ??
    []) {
    const loss = canHaveLostMs > 0 ? `its last ${duration(canHaveLostMs)} and one save` : "nothing";
    screen.line(`  ${session}  ${time(started)}${time(lastSaved)}${time(ended)}${how.padEnd(11)}${loss}`);
  }
}

export function showVerdicts(screen: Screen, verdicts: readonly Verdict[]): void {
  heading(screen, "VERDICTS");
  for (const { name, ok, detail } of verdicts) {
    const [first = "", ...rest] = wrap(name, "    ");
    const mark = ok ? screen.style("green", "✓") : screen.style("red", "✗");
    screen.line(`  ${mark} ${screen.style(ok ? "reset" : "bold", first.trimStart())}`);
    for (const line of rest) screen.line(line);
    for (const line of wrap(detail, "    ")) screen.line(screen.style(ok ? "dim" : "red", line));
  }
}

export function showEnd(screen: Screen, verdicts: readonly Verdict[], places: Places): void {
  const failed = verdicts.filter(({ ok }) => !ok).length;
  screen.line();
  if (failed === 0) screen.line(screen.style("green", `  All ${verdicts.length} verdicts hold.`));
  else screen.line(screen.style("red", `  ${failed} of ${verdicts.length} verdicts do not hold: see above.`));
  screen.line();
  screen.line("  Look at the file again:");
  screen.line(`  ${commandFor(places)}`);
  screen.line();
}

/** The command that shows the file. */
export function commandFor({ file, keyFile }: Places): string {
  return `npx agent-stats show --db ${quoted(file)} --key-file ${quoted(keyFile)}`;
}

function quoted(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function heading(screen: Screen, title: string, aside = ""): void {
  screen.line();
  screen.line(`  ${screen.style("bold", title)}${screen.style("dim", aside === "" ? "" : `  ${aside}`)}`);
}

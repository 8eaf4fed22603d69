/**
 * The main job, end to end: `npm start`. Ends with exit code 0 only if every verdict holds, 1 if one does not or
 * something failed, 2 for a flag that is none.
 */

import { stderr, stdout } from "node:process";
import { endAllChildren } from "./children.ts";
import type { Evidence, RunEvidence, Verdict } from "./evidence.ts";
import { type Flags, parseFlags, USAGE } from "./flags.ts";
import { makePlaces, type Places, UsageError } from "./folder.ts";
import { judge } from "./judge.ts";
import { makePlan, ONE_SAVE_MS } from "./plan.ts";
import { play } from "./play.ts";
import { type Screen, screenOn } from "./screen.ts";
import * as show from "./show.ts";
import { linesOf, sumsOf } from "./sums.ts";

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

async function demonstrate(
  screen: Screen,
  flags: Flags,
  places: Places,
): Promise<{ evidence: Evidence; verdicts: Verdict[] }> {
  const plan = makePlan(flags.short);
  const bound = { flushEveryMs: plan.flushEveryMs, oneSaveMs: ONE_SAVE_MS };
  show.showOpening(screen, plan, places);
  let before: RunEvidence | undefined;
  const evidence = await play(plan, places, {
    brokersStarted: (servers) => show.showBrokers(screen, servers),
    runProgress: (run, progress) => show.showProgress(screen, run, progress),
    runEnded(run) {
      show.showRun(screen, run, before, bound);
      before = run;
    },
    forgetting: (userId) => screen.live(`  deleting ${userId} …`),
  });
  const verdicts = judge(evidence);
  show.showServers(screen, evidence);
  show.showSessions(screen, evidence);
  show.showVerdicts(screen, verdicts);
  show.showEnd(screen, verdicts, places);
  return { evidence, verdicts };
}

/** What `--json` prints: the numbers of the last reading, beside the brokers'. */
function report(verdicts: readonly Verdict[], evidence: Evidence | null, places: Places | null) {
  const last = evidence?.runs.at(-1)?.reading;
  const lines = evidence ? linesOf(evidence) : [];
  return {
    ok: verdicts.length > 0 && verdicts.every(({ ok }) => ok),
    verdicts,
    sessions: (last?.sessions ?? []).map((session, index) => ({ ...session, ...lossOf(evidence, index) })),
    servers: (last?.servers ?? []).map((key) => ({
      ...key,
      brokers: Object.fromEntries(
        lines
          .filter(({ userId, server }) => userId === key.userId && server === key.server)
          .map(({ name, brokers, atMost }) => [name, { truth: brokers, shortAtMost: atMost }]),
      ),
    })),
    command: places && show.commandFor(places),
  };
}

function lossOf(evidence: Evidence | null, index: number) {
  const run = evidence?.runs[index];
  if (!evidence || !run) return {};
  const { counted, kept, mayMiss } = sumsOf(run, evidence.runs[index - 1], evidence);
  return { made: run.ending, counted, kept, lost: counted - kept, lostAtMost: mayMiss };
}

async function main(): Promise<void> {
  const wantsJson = process.argv.includes("--json");
  const screen = screenOn(wantsJson ? stderr : stdout);
  const printJson = (result: object) => wantsJson && stdout.write(`${JSON.stringify(result)}\n`);
  let places: Places | null = null;
  try {
    const flags = parseFlags(process.argv.slice(2));
    if (flags.help) return screen.line(USAGE);
    places = makePlaces(flags.dir);
    const { evidence, verdicts } = await demonstrate(screen, flags, places);
    const result = report(verdicts, evidence, places);
    process.exitCode = result.ok ? 0 : 1;
    printJson(result);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
    stderr.write(error instanceof UsageError ? `${detail}\n` : `\nThe demo could not go on: ${detail}\n`);
    printJson(report([{ name: "the demo ran to its end", ok: false, detail }], null, places));
  } finally {
    endAllChildren();
  }
}

process.on("exit", endAllChildren);
for (const [signal, number] of Object.entries(SIGNALS)) {
  process.on(signal, () => {
    stderr.write(`\nStopped by ${signal}: every process of the demo is ended.\n`);
    process.exit(128 + number);
  });
}

await main();

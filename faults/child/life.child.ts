/**
 * One life of a process under test: it opens statistics, counts, saves, deletes, and ends. It tells the ledger before
 * each thing that it does, and after each that was acknowledged.
 */
import { Worker } from "node:worker_threads";
import { openAgentStats, type StatsError } from "agent-stats";
import { openLedger, WHAT } from "../oracle/ledger.ts";
import { protocol } from "../oracle/names.ts";
import { randomOf } from "../random.ts";
import { catchWorkers } from "./crash.ts";
import { heartbeat } from "./heartbeat.ts";
import { codeNumber } from "./problems.ts";
import { deathIn, type LifeSpec, PHASES, type Phase } from "./spec.ts";
import { playSteps } from "./steps.ts";
import { openStore, watched } from "./store.ts";

const spec = JSON.parse(process.argv[2] ?? "") as LifeSpec;
const ledger = openLedger(spec.ledger);
const { aim } = spec;

const begun = new Int32Array(new SharedArrayBuffer(4));
const beat = new Float64Array(new SharedArrayBuffer(8));
if (aim) {
  const workerData = { ledger: spec.ledger, begun, heartbeat: beat, delayMs: aim.delayMs };
  const killer = new Worker(new URL("./killer.child.js", import.meta.url), { workerData });
  await new Promise((resolve) => killer.once("online", resolve));
  killer.unref();
}

const times = new Map<Phase, number>();
function begins(phase: Phase): void {
  ledger.note(WHAT.phase, { amount: phaseNumber(phase) });
  times.set(phase, (times.get(phase) ?? 0) + 1);
  if (phase !== aim?.phase || times.get(phase) !== aim.nth) return;
  Atomics.store(begun, 0, 1);
  Atomics.notify(begun, 0);
}
function ends(phase: Phase): void {
  ledger.note(WHAT.phaseOver, { amount: phaseNumber(phase) });
}

heartbeat(ledger, beat);
const deaths = spec.steps.map((step) => (step.do === "end" ? deathIn(step.how) : null));
const crash = catchWorkers(deaths.includes("exits") || deaths.includes("throws") ? spec.driver : null);
begins("starting");
const opened = openStore(spec);
const stats = await openAgentStats({
  protocols: [protocol],
  store: watched(opened.store, spec.migrates, {
    begins,
    ends,
    session: (id) => ledger.note(WHAT.session, { amount: id }),
  }),
  flushEvery: spec.flushEveryMs,
  onProblem: (problem: StatsError | null) => problem && ledger.note(WHAT.problem, { amount: codeNumber(problem) }),
});
ends("starting");
ledger.note(WHAT.started);
await playSteps(spec, { stats, ledger, opened, random: randomOf(spec.seed), begins, ends, crash });
// Whoever was to be killed at a moment that never came is killed now.
if (aim) {
  ledger.note(WHAT.kill, { amount: 0 });
  process.kill(process.pid, "SIGKILL");
}

function phaseNumber(phase: Phase): number {
  return PHASES.indexOf(phase);
}

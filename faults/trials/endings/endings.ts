/**
 * A process ends in every way but SIGKILL, at a random moment, with or without a save under way: nothing may be lost,
 * and its session must be listed as ended so. And two faults from within: the database's thread dies in mid-work, ended by
 * others or by itself, where nothing may be lost either; and the main thread is stuck until it is killed, where the
 * database's thread saves for it.
 */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { Ending } from "agent-stats";
import { deathIn, type EndingOfLife, type LifeSpec, type Place } from "../../child/spec.ts";
import { DRIVERS, DRIVERS_MISSING } from "../../oracle/drivers.ts";
import type { Finding, Judged } from "../../oracle/judge.ts";
import { judgeFile, type LivedLife, ledgerPath, live } from "../../oracle/life.ts";
import { inParallel } from "../../parallel.ts";
import type { Ended } from "../../processes.ts";
import { type Random, randomOf, seedOfUnit } from "../../random.ts";
import type { Control, Failure, Trial, TrialContext } from "../../trial.ts";

export const endings: Trial = {
  name: "endings",
  what: "exit, throw, rejection, SIGTERM, SIGINT, SIGHUP, close, empty event loop; the database's thread dies; main thread stuck, then killed",
  unit: "endings",
  atLeast: 300,
  scale: { small: 39, full: 390 },
  run,
};

interface ExpectedEnd extends Ended {
  readonly how?: Ending;
}

const ABORTED: ExpectedEnd = { code: null, signal: "SIGABRT" };

/** How the operating system and the session list are to call each; those that are stuck are killed. */
const EXPECTED: Readonly<Record<EndingOfLife, ExpectedEnd>> = {
  exit: { code: 0, signal: null, how: "exit" },
  throw: { code: 1, signal: null, how: "exception" },
  reject: { code: 1, signal: null, how: "rejection" },
  SIGTERM: { code: null, signal: "SIGTERM", how: "SIGTERM" },
  SIGINT: { code: null, signal: "SIGINT", how: "SIGINT" },
  SIGHUP: { code: null, signal: "SIGHUP", how: "SIGHUP" },
  "thread terminated": { code: 0, signal: null, how: "close" },
  "thread exits": { code: 0, signal: null, how: "close" },
  "thread throws": { code: 0, signal: null, how: "close" },
  close: { code: 0, signal: null, how: "close" },
  empty: { code: 0, signal: null, how: "exit" },
  stuck: { code: null, signal: "SIGKILL" },
  "stuck counting": { code: null, signal: "SIGKILL" },
};
const KINDS = Object.keys(EXPECTED) as EndingOfLife[];

const PLACES: readonly Place[] = ["own", "own", "host", "same"];
/** Only the file of its own is kept by a thread that can die, or save for one that is stuck. */
const needsThread = (end: EndingOfLife) => isStuck(end) || deathIn(end) !== null;

const LONG_MS = 600_000;
/** A thread that is terminated may abort the process, as a kill: then it has saved at each interval before. */
const DYING_FLUSH_EVERY_MS = 50;
const STUCK_FLUSH_EVERY_MS = 200;
/**
 * A thread that is stuck is killed when the other one had time to save for it, and when whatever it had counted before is
 * older than all that may be lost, excuses included.
 */
const STUCK_INTERVALS = 4;
/**
 * Of threads that were terminated in the middle of a save, 3 to 7 in 100 aborted their process, by the native code of
 * `@signalapp/sqlcipher`. More than this share of them, and more than two, is something else.
 */
const MOST_ABORTED = 0.2;

async function run({ count, seed, folder, parallel, progress }: TrialContext) {
  const failures: Failure[] = [];
  const seen = { lost: 0, wronglyTold: 0, otherwiseWrong: 0, counts: 0, aborted: 0, stuck: 0, stuckWorstLossMs: 0 };
  let terminated = 0;
  let done = 0;
  await inParallel([...Array(count).keys()], parallel, async (n) => {
    const unitSeed = seedOfUnit(seed, n);
    const end = endOf(unitSeed);
    const { judged, findings, isAborted } = await oneEnding(end, unitSeed, folder, null);
    seen.aborted += isAborted ? 1 : 0;
    terminated += end === "thread terminated" ? 1 : 0;
    const isLost = findings.some(({ wrong }) => wrong === "acknowledgedLost" || wrong === "lateLoss");
    seen.counts += judged.counts;
    seen.lost += isLost ? 1 : 0;
    seen.wronglyTold += findings.some(({ wrong }) => wrong === "wronglyTold") ? 1 : 0;
    seen.otherwiseWrong += findings.length > 0 && !isLost ? 1 : 0;
    if (isStuck(end)) {
      seen.stuck += 1;
      seen.stuckWorstLossMs = Math.max(seen.stuckWorstLossMs, Math.round(judged.lossMs));
    }
    for (const { wrong, what } of findings) failures.push({ seed: unitSeed, what: `${end}: ${wrong}: ${what}` });
    progress(++done);
  });
  if (seen.aborted > Math.max(2, MOST_ABORTED * terminated)) {
    const what = `${seen.aborted} of ${terminated} processes whose database's thread was terminated died with it`;
    failures.push({ seed, count, what });
  }
  return {
    ran: done - seen.aborted,
    seen,
    controls: await controls(seed, folder),
    failures: failures.slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

/** By its seed alone, so that the same seed repeats the same ending; one after another, so that each is tried as often. */
const endOf = (seed: number) => KINDS[seed % KINDS.length] as EndingOfLife;
const isStuck = (end: EndingOfLife) => end === "stuck" || end === "stuck counting";

interface OneEnding {
  readonly judged: Judged;
  readonly findings: readonly Finding[];
  /** The native code of a driver ended the whole process when its thread was ended in the middle of a call. */
  readonly isAborted: boolean;
}

async function oneEnding(
  end: EndingOfLife,
  seed: number,
  folder: string,
  change: Partial<LifeSpec> | null,
): Promise<OneEnding> {
  const random = randomOf(seed);
  const own = mkdtempSync(join(folder, change ? "control-" : "unit-"));
  const place = needsThread(end) ? "own" : random.pick(PLACES);
  const spec: LifeSpec = {
    file: join(own, "stats.db"),
    ledger: ledgerPath(own, "life"),
    driver: random.pick(DRIVERS),
    place,
    flushEveryMs: intervalOf(end),
    seed,
    steps: stepsTo(end, random),
    aim: isStuck(end) ? { phase: "stuck", nth: 1, delayMs: STUCK_INTERVALS * STUCK_FLUSH_EVERY_MS } : null,
    sabotage: null,
    migrates: false,
    ...change,
  };
  const life = await live(spec, own);
  return judgeEnding(end, spec, life);
}

function intervalOf(end: EndingOfLife): number {
  if (isStuck(end)) return STUCK_FLUSH_EVERY_MS;
  return deathIn(end) === null ? LONG_MS : DYING_FLUSH_EVERY_MS;
}

const COUNTING_MS = [5, 80] as const;
const STUCK_COUNTING_MS = [200, 500] as const;
const DYING_COUNTING_MS = [80, 240] as const;

function countingMs(end: EndingOfLife): readonly [from: number, to: number] {
  if (isStuck(end)) return STUCK_COUNTING_MS;
  return deathIn(end) === null ? COUNTING_MS : DYING_COUNTING_MS;
}

function stepsTo(end: EndingOfLife, random: Random): LifeSpec["steps"] {
  const counting = (ms: number, errors: boolean) =>
    ({ do: "count", ms, users: [1, 2], servers: [1, 2], errors }) as const;
  const before = random.percent(50) ? [counting(random.whole(5, 40), true), { do: "flush" as const }] : [];
  const errors = random.percent(30);
  return [
    ...before,
    counting(random.whole(...countingMs(end)), errors),
    { do: "end", how: end, midSave: random.percent(40) },
  ];
}

async function judgeEnding(end: EndingOfLife, spec: LifeSpec, life: LivedLife): Promise<OneEnding> {
  // Node.js tells native code in a thread that it is to end, and code that did not expect that aborts: as by a kill.
  const isAborted = end === "thread terminated" && life.ended.signal === "SIGABRT";
  const { how, ...ended } = isAborted ? ABORTED : EXPECTED[end];
  const judged = await judgeFile(spec, life, new Map(), {
    ...(how !== undefined && { how }),
    ended,
    isStuck: isStuck(end),
    hasProblem: deathIn(end) !== null,
  });
  return { judged, findings: judged.findings, isAborted };
}

async function controls(seed: number, folder: string): Promise<Control[]> {
  const results: Control[] = [];
  for (const end of ["exit", "SIGTERM"] as const) {
    const { findings } = await oneEnding(end, seed, folder, { sabotage: "no ending handlers" });
    const lost = findings.filter(({ wrong }) => wrong === "acknowledgedLost").length;
    results.push({ without: `the handlers of endings, by ${end}`, bites: lost > 0, seen: { lost } });
  }
  for (const end of ["stuck", "stuck counting"] as const) {
    const steps = stepsTo(end, randomOf(seed)).map((step) => (step.do === "end" ? { ...step, midSave: false } : step));
    const { judged, findings } = await oneEnding(end, seed, folder, { place: "same", steps });
    const lost = findings.filter(({ wrong }) => wrong === "lateLoss").length;
    const without = `a thread that saves for one that is ${end}`;
    results.push({ without, bites: lost > 0, seen: { lost, lossMs: Math.round(judged.lossMs) } });
  }
  return results;
}

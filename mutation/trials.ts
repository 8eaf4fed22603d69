import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { type RunnerTask, type RunnerTestCase, vi } from "vitest";
import { VitestTestRunner } from "vitest/runners";
import type { Change } from "./changes.js";
import { currentRoom } from "./rooms.js";

/** What Stryker's switches look at. */
interface Switches {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number;
  mutantCoverage?: {
    readonly static: Record<string, number>;
    readonly perTest: Record<string, Record<string, number>>;
  };
}

/** A line of the log: a room's run may be ended by a change, and goes on from what the log tells. */
interface Line {
  readonly changes?: readonly Change[];
  readonly begins?: string;
  readonly noticed?: string;
  readonly missed?: string;
  readonly doubted?: string;
  readonly test?: string;
}

const { log, slowestMs } = currentRoom();
const holder = globalThis as { __stryker__?: Switches; mutationTrials?: ReturnType<typeof begin> };
holder.__stryker__ ??= {};
const switches = holder.__stryker__;
const say = (line: object) => appendFileSync(log, `${JSON.stringify(line)}\n`);

/** What is known by now. */
function begin() {
  const noticed = new Set<string>();
  const tried = new Set<string>();
  let keys = new Map<string, string>();
  let open: Line | null = null;
  const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n") : [];
  for (const text of lines) {
    if (text === "") continue;
    const line = JSON.parse(text) as Line;
    if (line.changes) keys = new Map(line.changes.map(({ id, key }) => [id, key]));
    if (line.begins) open = line;
    if (line.noticed || line.missed) {
      open = null;
      tried.add(`${line.noticed ?? line.missed} ${line.test}`);
    }
    if (line.noticed) noticed.add(line.noticed);
    if (line.doubted) noticed.delete(line.doubted);
  }
  // It ended the whole run, or never came to its end: nobody can overlook that.
  if (open?.begins) {
    say({ noticed: open.begins, test: open.test, by: "the end of the run" });
    noticed.add(open.begins);
  }
  return { noticed, tried, keys };
}

holder.mutationTrials ??= begin();
const { noticed, tried, keys } = holder.mutationTrials;

function nameOf(task: RunnerTask): string {
  const names = [task.name];
  for (let suite = task.suite; suite; suite = suite.suite) names.unshift(suite.name);
  return `${task.file.name} ${names.join(" ")}`;
}

/** One test and what is tried in it: nothing at first, then one change after another, and nothing again after each that it noticed. */
interface Trial {
  readonly test: string;
  readonly begun: number;
  step: "first" | "change" | "control";
  change: string;
  hits: Readonly<Record<string, number>>;
  waiting: string[];
  failedControls: number;
}

const trials = new WeakMap<RunnerTestCase, Trial>();

/**
 * Runs each test again and again, with one change after another switched on that it runs over and that no test before has
 * noticed. After each that it notices it runs once more without: where it fails then too, the change has only broken
 * something for those who come after it, and is not counted as noticed.
 */
export default class Trials extends VitestTestRunner {
  override onBeforeRunTask(task: RunnerTask): Promise<void> {
    if (task.type === "test") {
      task.repeats = Number.MAX_SAFE_INTEGER;
      const begun = performance.now();
      trials.set(task, {
        test: nameOf(task),
        begun,
        step: "first",
        change: "",
        hits: {},
        waiting: [],
        failedControls: 0,
      });
    }
    return super.onBeforeRunTask(task as RunnerTestCase);
  }

  override onBeforeTryTask(task: RunnerTestCase): void {
    const trial = trials.get(task) as Trial;
    switches.currentTestId = trial.test;
    switches.activeMutant = trial.step === "change" ? trial.change : undefined;
    switches.hitCount = trial.step === "change" ? 0 : undefined;
    // A loop that a change makes endless runs over it again and again.
    switches.hitLimit = (trial.hits[trial.change] ?? 0) * 10 + 300;
    super.onBeforeTryTask(task);
  }

  onAfterRetryTask(task: RunnerTestCase): void {
    const { result } = task;
    if (!result || result.state === "skip") return;
    const trial = trials.get(task) as Trial;
    const hasFailed = result.state === "fail";
    const why = String(result.errors?.[0]?.message ?? "");
    this.#clean(task);
    if (trial.step === "first") this.#first(trial, hasFailed, why);
    else if (trial.step === "change") this.#tried(trial, hasFailed, why);
    else if (hasFailed) this.#doubt(trial);
    result.errors = [];
    if (trial.step === "change" && hasFailed) {
      trial.step = "control";
      result.state = "run";
      return;
    }
    const next = trial.failedControls > 3 ? undefined : trial.waiting.shift();
    // The only way out of the repetitions.
    result.state = next === undefined ? "skip" : "run";
    if (next === undefined) return;
    trial.step = "change";
    trial.change = next;
    say({ begins: keys.get(next), test: trial.test });
  }

  override onAfterRunFiles(): void {
    const atLoad = Object.keys(switches.mutantCoverage?.static ?? {});
    say({ atLoad: atLoad.map((id) => keys.get(id)) });
    super.onAfterRunFiles();
  }

  #clean(task: RunnerTestCase): void {
    switches.activeMutant = undefined;
    switches.hitCount = undefined;
    // What is run over while the next suite is loaded belongs to no test.
    switches.currentTestId = undefined;
    // What a test that failed left waiting is not waited for again.
    (task as { promises?: unknown }).promises = undefined;
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  }

  #first(trial: Trial, hasFailed: boolean, why: string): void {
    const covered = switches.mutantCoverage?.perTest[trial.test] ?? {};
    const ms = performance.now() - trial.begun;
    trial.hits = { ...covered };
    say({
      runs: trial.test,
      ms: Math.round(ms),
      covers: Object.keys(covered).map((id) => keys.get(id)),
      ...(hasFailed && { why }),
    });
    if (hasFailed || ms >= slowestMs) return;
    trial.waiting = Object.keys(covered).filter((id) => {
      const key = keys.get(id) ?? "";
      return !noticed.has(key) && !tried.has(`${key} ${trial.test}`);
    });
  }

  #tried({ test, change }: Trial, hasFailed: boolean, why: string): void {
    const key = keys.get(change) ?? "";
    if (!hasFailed) {
      say({ missed: key, test });
      return;
    }
    noticed.add(key);
    const isLate = /timed out in/.test(why);
    const by = /hit count limit/i.test(why) || isLate ? "never ending" : "a test";
    say({ noticed: key, test, by });
    if (!isLate) return;
    // Vitest takes a test that was too late once for too late for good: the rest is for another process.
    say({ again: true });
    process.kill(process.pid, "SIGKILL");
  }

  #doubt(trial: Trial): void {
    const key = keys.get(trial.change) ?? "";
    trial.failedControls += 1;
    noticed.delete(key);
    say({ doubted: key, test: trial.test });
  }
}

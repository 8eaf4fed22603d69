import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type Searched, searchCanaries } from "../oracle/canary.ts";
import { scratchFolder } from "../scratch.ts";
import type { Failure, Trial, TrialContext, TrialOutcome } from "../trial.ts";
import { type Demand, shortOf, verdictOf } from "./verdict.ts";

/** What became of one trial. */
export interface TrialResult extends TrialOutcome {
  readonly trial: Trial;
  /** How many secrets were looked for in how many files and bytes afterwards, and found nowhere. */
  readonly searched: { readonly files: number; readonly bytes: number };
  readonly seconds: number;
  readonly ok: boolean;
}

export interface TrialOrder {
  readonly trial: Trial;
  readonly count: number;
  readonly seed: number;
  readonly demand: Demand;
  progress(done: number): void;
}

/** Two units at once keep a machine with two cores busy; a third fills the waits for disk and for children. */
const UNITS_PER_CORE = 1.5;

/** Runs one trial in a folder of its own, and looks there afterwards for names and keys in the open. */
export async function runTrial({ trial, count, seed, demand, progress }: TrialOrder): Promise<TrialResult> {
  const begun = performance.now();
  const scratch = scratchFolder(trial.name);
  const folder = trial.inMemory ? join(scratch, "trial") : mkdtempSync(join(tmpdir(), `agent-stats-${trial.name}-`));
  const tidyUp = () => {
    for (const each of [folder, scratch]) rmSync(each, { recursive: true, force: true });
  };
  process.once("exit", tidyUp);
  const restore = temporaryFilesIn(join(scratch, "tmp"));
  if (trial.inMemory) mkdirSync(folder);
  try {
    const parallel = Math.max(2, Math.round(availableParallelism() * UNITS_PER_CORE));
    const outcome = await outcomeOf(trial, { count, seed, folder, parallel, progress });
    const { hits, files, bytes } = searchAll(trial.inMemory ? [scratch] : [folder, scratch]);
    const failures = [
      ...outcome.failures,
      ...hits.map(({ what, where }): Failure => {
        return { seed, count, what: `a secret stands in the open: ${what} in ${where}` };
      }),
      ...shortOf(outcome, demand).map((what): Failure => ({ seed, count, what })),
    ];
    return {
      ...outcome,
      trial,
      failures,
      searched: { files, bytes },
      seconds: (performance.now() - begun) / 1_000,
      ok: verdictOf({ ...outcome, failures }),
    };
  } finally {
    process.off("exit", tidyUp);
    restore();
    tidyUp();
  }
}

/** What the library puts among the temporary files is searched with the rest. */
function temporaryFilesIn(folder: string): () => void {
  const before = process.env.TMPDIR;
  mkdirSync(folder);
  process.env.TMPDIR = folder;
  return () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  };
}

function searchAll(folders: readonly string[]): Pick<Searched, "hits" | "files" | "bytes"> {
  const all = folders.map((folder) => searchCanaries(folder));
  return {
    hits: all.flatMap(({ hits }) => hits),
    files: all.reduce((sum, { files }) => sum + files, 0),
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** A trial that breaks is a failure of the campaign, and must not take the other trials with it. */
async function outcomeOf(trial: Trial, context: TrialContext): Promise<TrialOutcome> {
  const broke: Failure[] = [];
  const note = (error: unknown) => {
    const what = `the trial itself broke: ${error instanceof Error ? (error.stack ?? error.message) : error}`;
    broke.push({ seed: context.seed, count: context.count, what });
  };
  process.on("unhandledRejection", note);
  try {
    const outcome = await trial.run(context);
    return { ...outcome, failures: [...outcome.failures, ...broke] };
  } catch (error) {
    note(error);
    return { ran: 0, seen: {}, controls: [], failures: broke };
  } finally {
    process.off("unhandledRejection", note);
  }
}

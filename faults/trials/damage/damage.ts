/**
 * Damages files: flips bits, cuts, zeroes, writes garbage, swaps and doubles pages, empties and removes, in the file and
 * in its WAL, and puts the WAL of another moment or of another file beside it. Each image is opened by a reader and by a
 * writer who goes on counting: both must see a state in which the file once was, exactly, or be refused, and then not a
 * byte may have changed.
 *
 * Not tried, as nothing in SQLCipher's format could see it: one page put back as it was at another moment.
 */
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inParallel } from "../../parallel.ts";
import { runPart } from "../../parts.ts";
import { seedOfUnit } from "../../random.ts";
import type { Control, Failure, Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import type { PartJob, PartResult } from "./part.child.ts";

/** What one process does before another takes over. */
const IMAGES_A_PART = 2_000;
/** Seeds of parts are this far apart: each makes many histories. */
const SEEDS_A_PART = 10_000;

export const damage: Trial = {
  name: "damage",
  what: "damaged files and WALs, opened by a reader and by a writer",
  unit: "images",
  atLeast: 10_000,
  inMemory: true,
  scale: { small: 160, full: 10_000 },
  run,
};

async function run(context: TrialContext): Promise<TrialOutcome> {
  const results: PartResult[] = [];
  const done = new Map<number, number>();
  await inParallel(jobsOf(context), lanesOf(context), async (job, index) => {
    const progress = (images: number) => {
      done.set(index, images);
      context.progress([...done.values()].reduce((sum, each) => sum + each, 0));
    };
    results.push(await runJob(job, progress));
  });
  const images = Math.max(150, Math.round(context.count / 20));
  const control = { seed: seedOfUnit(context.seed, -SEEDS_A_PART), images, plain: true, folder: context.folder };
  const plain = await runJob(control, () => {});
  return outcomeOf(results, controlOf(plain));
}

function runJob(job: PartJob, progress: (done: number) => void): Promise<PartResult> {
  return runPart<PartJob, PartResult>({
    module: new URL("./part.child.js", import.meta.url),
    job,
    progress,
    died: (how) => ({
      ran: 0,
      bases: 0,
      outcomes: { latest: 0, earlier: 0, refused: 0, wrong: 0, broke: 0, changed: 0 },
      tools: 0,
      salvaged: 0,
      failures: [{ seed: job.seed, what: how }],
    }),
  });
}

/** What is refused is looked at twice, with a pause: most of the time a part waits. */
const lanesOf = ({ parallel }: TrialContext) => 2 * parallel;

function jobsOf(context: TrialContext): PartJob[] {
  const { count, seed, folder } = context;
  const parts = Math.max(Math.min(lanesOf(context), count), Math.ceil(count / IMAGES_A_PART));
  return Array.from({ length: parts }, (_, part) => ({
    seed: seedOfUnit(seed, part * SEEDS_A_PART),
    images: Math.ceil((count * (part + 1)) / parts) - Math.ceil((count * part) / parts),
    plain: false,
    folder,
  }));
}

function controlOf({ ran, outcomes }: PartResult): Control {
  const { wrong, refused, latest, earlier } = outcomes;
  return {
    without: "encryption, which authenticates pages",
    bites: wrong > 0,
    seen: { images: ran, wrong, refused, latest, earlier },
  };
}

function outcomeOf(results: readonly PartResult[], control: Control): TrialOutcome {
  const sum = (of: (result: PartResult) => number) => results.reduce((all, each) => all + of(each), 0);
  const failures: Failure[] = results.flatMap((result) => result.failures).slice(0, 20);
  return {
    ran: sum(({ ran }) => ran),
    seen: {
      wrong: sum(({ outcomes }) => outcomes.wrong),
      changed: sum(({ outcomes }) => outcomes.changed),
      untyped: sum(({ outcomes }) => outcomes.broke),
      latest: sum(({ outcomes }) => outcomes.latest),
      earlier: sum(({ outcomes }) => outcomes.earlier),
      refused: sum(({ outcomes }) => outcomes.refused),
      bases: sum(({ bases }) => bases),
      verified: sum(({ tools }) => tools),
      salvaged: sum(({ salvaged }) => salvaged),
    },
    controls: [control],
    failures,
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

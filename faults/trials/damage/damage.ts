/**
 * Damages files: flips bits, cuts, zeroes, writes garbage, swaps and doubles pages, empties and removes, in the file and
 * in its WAL, and puts the WAL of another moment or of another file beside it. Each image is opened by a reader and by a
 * writer who goes on counting: both must see what an honest reading of these very bytes can give, or be refused, and then
 * not a byte may have changed. Some are opened by a writer who has damaged files moved aside, too: with every byte.
 *
 * One page put back as it was at another moment is beyond proof: SQLCipher's format tells where a page belongs, not when.
 * It is tried, and counted apart.
 */
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inParallel } from "../../parallel.ts";
import { runPart } from "../../parts.ts";
import { seedOfUnit } from "../../random.ts";
import type { Control, Failure, Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import { IMAGES_A_HISTORY } from "./bases.ts";
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
  const controls: Control[] = [];
  await inParallel(CONTROLS, lanesOf(context), async ({ control, imagesOf, controlOf }, index) => {
    const seed = seedOfUnit(context.seed, -SEEDS_A_PART * (index + 1));
    const images = imagesOf(context.count);
    controls[index] = controlOf(await runJob({ seed, images, control, folder: context.folder }, () => {}));
  });
  return outcomeOf(results, controls);
}

function runJob(job: PartJob, progress: (done: number) => void): Promise<PartResult> {
  return runPart<PartJob, PartResult>({
    module: new URL("./part.child.js", import.meta.url),
    job,
    progress,
    died: (how) => ({
      ran: 0,
      bases: 0,
      outcomes: { latest: 0, earlier: 0, refused: 0, movedAside: 0, wrong: 0, broke: 0, changed: 0 },
      movers: 0,
      pagesBack: { images: 0, unseen: 0, tooHigh: 0, refusedLate: 0 },
      tools: 0,
      salvaged: 0,
      failures: [{ seed: job.seed, what: how }],
    }),
  });
}

/** What is refused is looked at twice, with a pause: most of the time a part waits. */
const lanesOf = ({ parallel }: TrialContext) => 2 * parallel;

/** No history is split: a failure is repeated by the seed of its history, and by how manieth it was there. */
function jobsOf(context: TrialContext): PartJob[] {
  const { count, seed, folder } = context;
  const histories = Math.ceil(count / IMAGES_A_HISTORY);
  const parts = Math.max(Math.min(lanesOf(context), histories), Math.ceil(count / IMAGES_A_PART));
  return Array.from({ length: parts }, (_, part) => ({
    seed: seedOfUnit(seed, part * SEEDS_A_PART),
    images: Math.ceil((count * (part + 1)) / parts) - Math.ceil((count * part) / parts),
    folder,
  }));
}

interface ControlPlan {
  readonly control: NonNullable<PartJob["control"]>;
  imagesOf(count: number): number;
  controlOf(result: PartResult): Control;
}

const CONTROLS: readonly ControlPlan[] = [
  {
    control: "plain",
    imagesOf: (count) => Math.max(150, Math.round(count / 20)),
    controlOf: ({ ran, outcomes: { wrong, refused, latest, earlier } }) => ({
      without: "encryption, which authenticates pages",
      bites: wrong > 0,
      seen: { images: ran, wrong, refused, latest, earlier },
    }),
  },
  {
    control: "begins anew",
    imagesOf: () => 32,
    // Where the file's own bytes say nothing yet, and its WAL is damaged, an empty file is an honest answer.
    controlOf: ({ ran, outcomes: { wrong, earlier, latest, changed } }) => ({
      without: "refusing: a writer who begins a new file in the place of a damaged one",
      bites: wrong + changed > earlier + latest,
      seen: { images: ran, begunAnew: wrong + changed + earlier + latest, wrong, changed },
    }),
  },
];

function outcomeOf(results: readonly PartResult[], controls: readonly Control[]): TrialOutcome {
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
      havingMovedAside: sum(({ movers }) => movers),
      movedAside: sum(({ outcomes }) => outcomes.movedAside),
      pagesPutBack: sum(({ pagesBack }) => pagesBack.images),
      putBackUnseen: sum(({ pagesBack }) => pagesBack.unseen),
      putBackRefusedLate: sum(({ pagesBack }) => pagesBack.refusedLate),
      putBackTooHigh: sum(({ pagesBack }) => pagesBack.tooHigh),
      bases: sum(({ bases }) => bases),
      verified: sum(({ tools }) => tools),
      salvaged: sum(({ salvaged }) => salvaged),
    },
    controls,
    failures,
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

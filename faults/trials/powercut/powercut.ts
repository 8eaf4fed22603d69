/**
 * Cuts the power. A real host runs while everything that it does to its files is recorded; the record is replayed up to
 * a random moment, on a disk that keeps what was synced and of the rest any part, torn, in any order, with or without
 * the names that were not synced; what is left is opened, and judged by what the host was told until then.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inParallel } from "../../parallel.ts";
import { runPart } from "../../parts.ts";
import { seedOfUnit } from "../../random.ts";
import { buildShim } from "../../shim/shim.ts";
import type { Control, Failure, Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import type { PartJob, PartResult } from "./part.child.ts";

const NOTHING = { corrupt: 0, acknowledgedLost: 0, neverCounted: 0, halfDone: 0, notErased: 0 };
/** What one process does before another takes over. */
const STATES_A_PART = 2_000;
/** So many keep what a recording costs small beside what is tried on it, and leave a short run several. */
const CUTS_A_RECORDING = 64;
/** A control bites only in recordings that do what it harms: it needs several, at any scale. */
const CUTS_OF_A_CONTROL = 25;
/** Seeds of parts, and of controls, are this far apart: each makes many recordings. */
const SEEDS_A_PART = 10_000;
const CONTROLS_FROM = 1_000_000;

interface ControlPlan extends Pick<PartJob, "store" | "synchronous" | "without"> {
  readonly name: string;
  bites(faults: PartResult["faults"]): boolean;
}

const CONTROLS: readonly ControlPlan[] = [
  { name: "synchronous=FULL: OFF instead", store: "host", synchronous: "OFF", bites: ({ corrupt }) => corrupt > 0 },
  {
    name: "synchronous=FULL: NORMAL instead",
    store: "host",
    synchronous: "NORMAL",
    bites: ({ acknowledgedLost }) => acknowledgedLost > 0,
  },
  {
    name: "any sync of the file that reaches the disk",
    store: "own",
    synchronous: "FULL",
    without: "all syncs",
    bites: ({ acknowledgedLost }) => acknowledgedLost > 0,
  },
  {
    name: "any sync of the folder that reaches the disk",
    store: "own",
    synchronous: "FULL",
    without: "folder sync",
    bites: ({ acknowledgedLost }) => acknowledgedLost > 0,
  },
];

export const powercut: Trial = {
  name: "powercut",
  what: "the recorded writes replayed up to a power cut: whatever was not synced is dropped, torn or reordered",
  unit: "states",
  atLeast: 20_000,
  inMemory: true,
  scale: { small: 400, full: 20_000 },
  run,
};

async function run(context: TrialContext): Promise<TrialOutcome> {
  const shim = buildShim("record", context.folder);
  if ("whyNot" in shim) return { ran: 0, seen: {}, controls: [], failures: [], skipped: shim.whyNot };
  const done = new Map<number, number>();
  const work = async (job: Omit<PartJob, "folder" | "shim">, index: number) => {
    const folder = join(context.folder, `part-${index}`);
    mkdirSync(folder);
    return runPart<PartJob, PartResult>({
      module: new URL("./part.child.js", import.meta.url),
      job: { ...job, folder, shim: shim.path },
      progress: (states) => {
        if (index >= CONTROLS_FROM) return;
        done.set(index, states);
        context.progress([...done.values()].reduce((sum, each) => sum + each, 0));
      },
      died: (how) => ({
        ran: 0,
        recordings: 0,
        crashPoints: 0,
        searched: 0,
        faults: NOTHING,
        failures: [{ seed: job.seed, what: how }],
      }),
    });
  };
  const results: PartResult[] = [];
  await inParallel(jobsOf(context), context.parallel, async (job, index) => {
    results.push(await work(job, index));
  });
  const states = Math.max(150, Math.round(context.count / 40));
  const controls: Control[] = [];
  await inParallel(CONTROLS, context.parallel, async ({ name, bites, ...plan }, index) => {
    const seed = seedOfUnit(context.seed, -SEEDS_A_PART * (index + 1));
    const { ran, faults } = await work({ ...plan, seed, states, cuts: CUTS_OF_A_CONTROL }, CONTROLS_FROM + index);
    controls.push({ without: name, bites: bites(faults), seen: { states: ran, ...faults } });
  });
  return outcomeOf(results, controls);
}

/** A recording is not split: a failure is repeated by the seed of its recording, and by how manieth it was there. */
function jobsOf({ count, seed, parallel }: TrialContext): Omit<PartJob, "folder" | "shim">[] {
  const recordings = Math.ceil(count / CUTS_A_RECORDING);
  const parts = Math.max(Math.min(parallel, recordings), Math.ceil(count / STATES_A_PART));
  return Array.from({ length: parts }, (_, part) => ({
    seed: seedOfUnit(seed, part * SEEDS_A_PART),
    synchronous: "FULL",
    cuts: CUTS_A_RECORDING,
    states: Math.ceil((count * (part + 1)) / parts) - Math.ceil((count * part) / parts),
  }));
}

function outcomeOf(results: readonly PartResult[], controls: readonly Control[]): TrialOutcome {
  const sum = (of: (result: PartResult) => number) => results.reduce((all, each) => all + of(each), 0);
  const failures: Failure[] = results.flatMap((result) => result.failures).slice(0, 20);
  return {
    ran: sum(({ ran }) => ran),
    seen: {
      corrupt: sum(({ faults }) => faults.corrupt),
      acknowledgedLost: sum(({ faults }) => faults.acknowledgedLost),
      neverCounted: sum(({ faults }) => faults.neverCounted),
      halfDone: sum(({ faults }) => faults.halfDone),
      notErased: sum(({ faults }) => faults.notErased),
      searchedForTheDeleted: sum(({ searched }) => searched),
      recordings: sum(({ recordings }) => recordings),
      crashPoints: sum(({ crashPoints }) => crashPoints),
    },
    controls,
    failures,
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

/**
 * Lets the disk fail: the Nth open, read, write, sync, truncation, removal or link of each kind of file fails, once,
 * twice or until it heals, N rising until there is no such call any more, while a host starts, migrates, counts, deletes,
 * resets, reads and closes. The host must live, be told by a typed error that does not call it damage and tells no secret,
 * and have lost nothing when it heals. Full walks every kind of fault in every phase to its end; small a few of them.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inParallel } from "../../parallel.ts";
import { runPart } from "../../parts.ts";
import { buildShim, shimmed } from "../../shim/shim.ts";
import type { Control, Failure, Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import { CASES, KINDS } from "./cases.ts";
import { FaultControl } from "./control.ts";
import type { Without } from "./host.ts";
import type { PartJob, PartResult } from "./part.child.ts";

const CONTROLS: readonly Without[] = ["healing", "telling that a save failed"];
const CONTROL_FAULTS = 12;

export const iofault: Trial = {
  name: "iofault",
  what: "the Nth call of each kind on each kind of file fails, once or until it heals",
  unit: "faults",
  atLeast: 2_000,
  inMemory: true,
  /** One round of every kind is some 3 200; the parts share these evenly, and not every part of a round is as long. */
  scale: { small: 100, full: 4_500 },
  run,
};

async function run(context: TrialContext): Promise<TrialOutcome> {
  const shim = buildShim("fault", context.folder);
  if ("whyNot" in shim) return { ran: 0, seen: {}, controls: [], failures: [], skipped: shim.whyNot };
  const { count, seed, parallel, folder } = context;
  const parts = Math.max(1, Math.min(parallel, count));
  const done = new Map<number, number>();
  const results: PartResult[] = [];
  const all = Array.from({ length: parts }, (_, part) => part);
  await inParallel(all, parallel, async (part) => {
    const job = { seed, count, part, parts, folder: join(folder, `part-${part}`) };
    const progress = (faults: number) => {
      done.set(part, faults);
      context.progress([...done.values()].reduce((sum, each) => sum + each, 0));
    };
    results.push(await runJob(job, shim.path, progress));
  });
  const controls: Control[] = [];
  await inParallel(CONTROLS, parallel, async (without, index) => {
    const job = { seed, count: CONTROL_FAULTS, part: 0, parts: 1, folder: join(folder, `control-${index}`), without };
    const { ran, lost } = await runJob(job, shim.path, () => {});
    controls.push({ without, bites: lost > 0, seen: { faults: ran, lost } });
  });
  return outcomeOf(results, controls);
}

function runJob(job: PartJob, shim: string, progress: (done: number) => void): Promise<PartResult> {
  mkdirSync(job.folder);
  const control = join(job.folder, "control");
  FaultControl.make(control);
  return runPart<PartJob, PartResult>({
    module: new URL("./part.child.js", import.meta.url),
    job,
    env: shimmed(shim, { FAULTS_FOLDER: join(job.folder, "data"), FAULTS_CONTROL: control }),
    progress,
    died: (how) => ({
      ran: 0,
      harmless: 0,
      walked: [],
      begun: 0,
      refused: 0,
      codes: {},
      lost: 0,
      failures: [{ seed: job.seed, count: job.count, what: how }],
    }),
  });
}

function outcomeOf(results: readonly PartResult[], controls: readonly Control[]): TrialOutcome {
  const sum = (of: (result: PartResult) => number) => results.reduce((all, each) => all + of(each), 0);
  const codes: Record<string, number> = {};
  for (const [code, times] of results.flatMap((result) => Object.entries(result.codes))) {
    codes[code] = (codes[code] ?? 0) + times;
  }
  const walked = results.flatMap((result) => result.walked);
  const failures: Failure[] = results.flatMap((result) => result.failures).slice(0, 20);
  return {
    ran: sum(({ ran }) => ran),
    seen: {
      lost: sum(({ lost }) => lost),
      walkedToTheEnd: walked.length,
      ofCases: CASES,
      kindsWalked: new Set(walked.map((unit) => unit % KINDS.length)).size,
      ofKinds: KINDS.length,
      begun: sum(({ begun }) => begun),
      harmless: sum(({ harmless }) => harmless),
      refused: sum(({ refused }) => refused),
      ...codes,
    },
    controls,
    failures,
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

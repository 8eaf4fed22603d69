/**
 * Erase: a user is deleted from a file with a random history, and every page of every file is decrypted afterwards, and
 * in images that a crash at many moments would have left. Judged by the bytes alone.
 */

import { DRIVERS, DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inLanes } from "../../remote/lanes.ts";
import { type Remote, startRemote } from "../../remote/remote.ts";
import type { Control, Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import { problemsOf, type Seen } from "./judge.ts";
import { eraseUnit } from "./unit.ts";

export const erase: Trial = {
  name: "erase",
  what: "A user is deleted in a random history; every page of every file, and of crash images, is decrypted and searched",
  unit: "seeds",
  atLeast: 500,
  scale: { small: 12, full: 500 },
  run,
};

const ENTRY = new URL("./erase.child.js", import.meta.url);

async function run(context: TrialContext): Promise<TrialOutcome> {
  const { folder } = context;
  const start = (name: string) => startRemote({ entry: ENTRY, folder, name });
  const ran = await inLanes<readonly [Remote, Remote], Seen>(context, {
    start: (lane) => [start(`subject-${lane}`), start(`other-${lane}`)],
    unit: ([subject, other], seed) => eraseUnit({ subject, other }, seed, DRIVERS, folder),
  });
  const broken = ran.seen.flatMap(({ seed, seen }) => problemsOf(seen).map((what) => ({ seed, what })));
  const seen = ran.seen.map((each) => each.seen);
  return {
    ran: seen.length,
    seen: summaryOf(seen),
    controls: controlsOf(seen),
    failures: [...ran.failures, ...broken].slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, n) => all + n, 0);
const hits = ({ servers, user }: { readonly servers: number; readonly user: number }) => servers + user;

function summaryOf(seen: readonly Seen[]): Record<string, number> {
  return {
    hitsAfter:
      sum(seen.flatMap(({ after, history }) => (history.crowded ? [] : after.map(hits)))) +
      sum(seen.map(({ last }) => hits(last.found))),
    pagesSearched: sum(
      seen.flatMap(({ before, after, last }) => [before, ...after, last.found].map(({ pages }) => pages)),
    ),
    crashImages: sum(seen.map(({ imagesTaken }) => imagesTaken)),
    imagesOpened: sum(seen.map(({ images }) => images.length)),
    pendingFirst: seen.filter(({ erased }) => erased === "pending").length,
    besideCopiesAside: seen.filter(({ history }) => history.steps.some((step) => step.do === "aside")).length,
    besideOthers: seen.filter(({ history }) => history.crowded).length,
  };
}

function controlsOf(seen: readonly Seen[]): Control[] {
  const controls = seen.flatMap((each) => each.controls ?? []);
  const found = seen.filter(({ before }) => before.servers > 0 && before.user > 0).length;
  const inLog = controls.filter(({ withoutCheckpoint }) => withoutCheckpoint > 0).length;
  const inFile = controls.filter(({ withoutRewriting }) => withoutRewriting > 0).length;
  return [
    { without: "any deletion", bites: found === seen.length, seen: { hitIn: found, of: seen.length } },
    {
      without: "checkpoint and VACUUM: DELETE with secure_delete alone",
      bites: inLog + inFile > 0,
      seen: { hitInLog: inLog, hitInFile: inFile, of: controls.length },
    },
  ];
}

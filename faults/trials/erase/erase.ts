/**
 * Erase: a user is deleted from a file with a random history, and every page of every file is decrypted: afterwards, and
 * in every image that a crash at many moments would have left. Judged by the bytes alone. Before the acknowledgement an
 * image may hold the user; of these some are started anew, and if the user is gone then, so is every byte of it.
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
      seen.flatMap(({ before, between, after, last }) =>
        [before, ...between, ...after, last.found].map(({ pages }) => pages),
      ),
    ),
    imagesBefore: sum(seen.map(({ between }) => between.length)),
    holdingTheUser: sum(seen.map(({ between }) => between.filter((found) => hits(found) > 0).length)),
    startedAnew: sum(seen.map(({ images }) => images.length)),
    looksAfter: sum(seen.map(({ after }) => after.length + 1)),
    pendingFirst: seen.filter(({ erased }) => erased === "pending").length,
    besideCopiesAside: seen.filter(({ history }) => history.steps.some((step) => step.do === "aside")).length,
    besideOthers: seen.filter(({ history }) => history.crowded).length,
  };
}

function controlsOf(seen: readonly Seen[]): Control[] {
  const controls = seen.flatMap((each) => each.controls ?? []);
  const found = seen.filter(({ before }) => before.servers > 0 && before.user > 0).length;
  const bitten = (pages: (control: NonNullable<Seen["controls"]>) => number) =>
    controls.filter((control) => pages(control) > 0).length;
  const inLog = bitten(({ withoutCheckpoint }) => withoutCheckpoint);
  const inFile = bitten(({ withoutRewriting }) => withoutRewriting);
  return [
    { without: "any deletion", bites: found === seen.length, seen: { hitIn: found, of: seen.length } },
    {
      without: "moving the log into the file: DELETE with secure_delete",
      bites: inLog > 0,
      seen: { hitInLog: inLog, of: controls.length },
    },
    {
      without: "rewriting the file: DELETE alone, its log moved into the file",
      bites: inFile > 0,
      seen: {
        hitInFile: inFile,
        hitWithSecureDelete: bitten(({ withSecureDelete }) => withSecureDelete),
        of: controls.length,
      },
    },
  ];
}

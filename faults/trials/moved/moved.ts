/**
 * Moved: the file of the statistics is unlinked, renamed or replaced, or its folder goes, while a host counts, saves or
 * closes. Judged by the host's ledger and by what each file holds in the end, read by another process.
 */
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { startHost } from "../../remote/host.ts";
import { inLanes } from "../../remote/lanes.ts";
import type { Remote } from "../../remote/remote.ts";
import type { Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import { problemsOf, type Seen } from "./judge.ts";
import { movedUnit, naiveWriter } from "./unit.ts";

/** Saving resumes by itself, which is waited for. */
const LANES = 2;

export const moved: Trial = {
  name: "moved",
  what: "The file is unlinked, renamed, replaced, or its folder goes, while it is open: in counting, saving, closing",
  unit: "moves",
  atLeast: 100,
  scale: { small: 30, full: 120 },
  run,
};

async function run(context: TrialContext): Promise<TrialOutcome> {
  const { folder } = context;
  const naive = naiveWriter(folder);
  const { seen, failures } = await inLanes<readonly [Remote, Remote], Seen>(
    { ...context, parallel: LANES * context.parallel },
    {
      start: (lane) => [startHost(folder, `host-${lane}`), startHost(folder, `other-${lane}`)],
      unit: (processes, seed) => movedUnit(processes, seed, folder),
    },
  );
  const broken = seen.flatMap(({ seed, seen }) => problemsOf(seen).map((what) => ({ seed, what })));
  const count = (holds: (each: Seen) => boolean) => seen.filter((each) => holds(each.seen)).length;
  return {
    ran: seen.length,
    seen: {
      toldByTheNextSave: count(({ first, problems }) => first !== null || problems.some((code) => code !== null)),
      toldAtTheEnd: count(({ moment, closed }) => moment === "close" && closed !== null),
      lost: broken.filter(({ what }) => /not what was counted|are lost/.test(what)).length,
      replacedChanged: count(({ untouched }) => untouched === false),
      replacedUnchanged: count(({ untouched }) => untouched === true),
    },
    controls: [
      {
        without: "looking whether the path still leads to the file",
        bites: naive.succeeded > 0 && naive.found === 0,
        seen: { succeeded: naive.succeeded, found: naive.found },
      },
    ],
    failures: [...failures, ...broken].slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

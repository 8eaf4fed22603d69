/**
 * Moved: the file of the statistics is unlinked, renamed or replaced, or its folder goes, while a host counts, saves or
 * closes. Judged by the host's ledger and by what each file holds in the end, read by another process.
 */
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { startHost } from "../../remote/host.ts";
import { inLanes } from "../../remote/lanes.ts";
import type { Remote } from "../../remote/remote.ts";
import type { Control, Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import { problemsOf, type Seen } from "./judge.ts";
import { movedUnit } from "./unit.ts";

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
  const { seen, failures } = await inLanes<readonly [Remote, Remote], Judged>(
    { ...context, parallel: LANES * context.parallel },
    {
      start: (lane) => [startHost(folder, `host-${lane}`), startHost(folder, `other-${lane}`)],
      // Judged within the unit: where that throws, it is a failure of this unit.
      unit: async (processes, seed) => {
        const unit = await movedUnit(processes, { seed, folder });
        return { ...unit, broken: problemsOf(unit) };
      },
    },
  );
  const broken = seen.flatMap(({ seed, seen }) => seen.broken.map((what) => ({ seed, what })));
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
    controls: [await withoutLooking(context)],
    failures: [...failures, ...broken].slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

interface Judged extends Seen {
  readonly broken: readonly string[];
}

/** Those in which nothing comes back to the path, so that what is written into nothing is lost there. */
const BLIND = ["unlinked with its log", "renamed", "its folder removed"] as const;

/** The same library on the host's own handle, which nobody looks after, in the same units before the same judge. */
async function withoutLooking({ seed, folder }: TrialContext): Promise<Control> {
  const seen = { units: 0, saidNothing: 0 };
  for (const scenario of BLIND) {
    const processes = [startHost(folder, "host-blind"), startHost(folder, "other-blind")] as const;
    const unit = await movedUnit(processes, { seed, folder, scenario, moment: "counting", without: "looking" });
    for (const process of processes) await process.end();
    seen.units += 1;
    if (problemsOf(unit).some((what) => what.includes("the first save said nothing"))) seen.saidNothing += 1;
  }
  return {
    without: "looking whether the path still leads to the file",
    bites: seen.saidNothing === seen.units,
    seen,
  };
}

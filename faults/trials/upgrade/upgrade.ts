/**
 * Upgrade: copies of the files that every schema left, of which a few are committed, are opened by the present library in every way, at once, killed in
 * it; files of a schema that is to come are refused. Judged by what the old version itself read, in SQL of the campaign.
 */
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inLanes } from "../../remote/lanes.ts";
import type { Remote } from "../../remote/remote.ts";
import type { Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import { problemsOf } from "./judge.ts";
import { type Seen, startUpgrader, upgradeUnit, type Way } from "./unit.ts";

export const upgrade: Trial = {
  name: "upgrade",
  what: "Copies of the files that each schema left are read, opened, opened at once, killed in the upgrade; newer ones are refused",
  unit: "copies",
  /** They are drawn: so often, each file is met in every way. */
  atLeast: 240,
  scale: { small: 24, full: 360 },
  run,
};

const AT_ONCE = 3;

async function run(context: TrialContext): Promise<TrialOutcome> {
  const { folder } = context;
  const { seen, failures } = await inLanes<readonly Remote[], Seen>(context, {
    start: (lane) => Array.from({ length: AT_ONCE }, (_, n) => startUpgrader(folder, `host-${lane}-${n}`)),
    unit: (processes, seed) => upgradeUnit(processes, seed, folder),
  });
  const judged = seen.map(({ seed, seen }) => ({ seed, seen, problems: problemsOf(seen) }));
  const altered = judged.filter(({ seen }) => seen.way === "altered");
  const broken = judged
    .filter(({ seen }) => seen.way !== "altered")
    .flatMap(({ seed, problems }) => problems.map((what) => ({ seed, what })));
  const noticed = altered.filter(({ problems }) => problems.some((what) => what.includes("sums"))).length;
  const wasStopped = ({ schemaLeft, raw }: Seen) => schemaLeft !== undefined && schemaLeft < raw.version;
  const ways = (way: Way) => seen.filter((each) => each.seen.way === way).length;
  return {
    // Those with a number that is another are the control, and no file of any version.
    ran: seen.length - altered.length,
    seen: {
      schemas: new Set(seen.map(({ seen }) => seen.fixture.schema)).size,
      filesCommitted: new Set(seen.map(({ seen }) => `${seen.fixture.schema} ${seen.fixture.name}`)).size,
      killed: ways("killed"),
      killedBeforeItWasDone: seen.filter(({ seen }) => wasStopped(seen)).length,
      openedAtOnce: ways("at once"),
      newerRefused: ways("newer"),
      counterMissing: ways("fewer counters"),
      wrong: broken.length,
    },
    controls: [
      {
        without: "the numbers that the old version wrote: one is another",
        bites: altered.length > 0 && noticed === altered.length,
        seen: { noticed, of: altered.length },
      },
    ],
    failures: [...failures, ...broken].slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

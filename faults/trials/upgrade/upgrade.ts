/**
 * Upgrade: the files that every released schema left are opened by the present library in every way, at once, killed in
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
  what: "Files of every released schema are read, opened, opened at once, killed in the upgrade; newer ones are refused",
  unit: "files",
  /** Files are drawn: so often, each is met in every way. */
  atLeast: 240,
  scale: { small: 24, full: 360 },
  run,
};

const AT_ONCE = 3;

const schemaOf = ({ fixture }: Seen) => Number(fixture.schema.replace("schema-", ""));

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
  const ways = (way: Way) => seen.filter((each) => each.seen.way === way).length;
  return {
    ran: seen.length,
    seen: {
      fixtures: new Set(seen.map(({ seen }) => `${seen.fixture.schema} ${seen.fixture.name}`)).size,
      killed: ways("killed"),
      killedBeforeItWasDone: seen.filter(({ seen }) => seen.schemaLeft === schemaOf(seen)).length,
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

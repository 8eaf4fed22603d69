/**
 * Clock: the clock of a host jumps by seconds to decades, stands on the edges of calendars, in mid-session, at the start,
 * during a save. Judged by the host's ledger, read by a process whose clock is right.
 */
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { startHost } from "../../remote/host.ts";
import { inLanes } from "../../remote/lanes.ts";
import type { Remote } from "../../remote/remote.ts";
import type { Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import { problemsOf, type Seen } from "./judge.ts";
import { naiveFaultsOf } from "./naive.ts";
import { planOf } from "./plan.ts";
import { clockUnit } from "./unit.ts";

export const clock: Trial = {
  name: "clock",
  what: "The clock jumps by seconds to ten years, forward and back, over summer time and leap days, at any moment",
  unit: "lives",
  atLeast: 200,
  inMemory: true,
  scale: { small: 25, full: 240 },
  run,
};

async function run(context: TrialContext): Promise<TrialOutcome> {
  const { folder } = context;
  const { seen, failures } = await inLanes<readonly [Remote, Remote], Seen>(context, {
    start: (lane) => [startHost(folder, `host-${lane}`), startHost(folder, `reader-${lane}`)],
    unit: (processes, seed) => clockUnit(processes, seed, folder),
  });
  const broken = seen.flatMap(({ seed, seen }) => problemsOf(seen).map((what) => ({ seed, what })));
  const naive = seen.map(({ seed }) => naiveFaultsOf(planOf(seed)));
  const sum = (of: (each: (typeof naive)[number]) => number) => naive.reduce((all, each) => all + of(each), 0);
  const [negative, disordered, lostHours] = [
    sum((each) => each.negative),
    sum((each) => each.disordered),
    sum((each) => each.lostHours),
  ];
  const plans = seen.map(({ seed }) => planOf(seed));
  return {
    ran: seen.length,
    seen: {
      jumps: plans.flatMap(({ steps }) => steps).filter((step) => step.do === "jump" || step.do === "set").length,
      zones: new Set(plans.map(({ zone }) => zone)).size,
      sessions: seen.reduce((all, { seen }) => all + seen.reading.sessions.length, 0),
      negative: broken.filter(({ what }) => what.includes("negative")).length,
      disordered: broken.filter(({ what }) => what.includes("order")).length,
      lostOrDoubled: broken.filter(({ what }) => /differ|twice/.test(what)).length,
    },
    controls: [
      {
        without: "distrust: a keeper that believes the clock, in the same lives",
        bites: negative > 0 && disordered > 0 && lostHours > 0,
        seen: { negative, disordered, lostHours },
      },
    ],
    failures: [...failures, ...broken].slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

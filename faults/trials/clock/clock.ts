/**
 * Clock: the clock of a host jumps by seconds to decades, stands on the edges of calendars, in mid-session, at the start,
 * during a save. Judged by the host's ledger, read by a process whose clock is right.
 */
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { startHost } from "../../remote/host.ts";
import { inLanes } from "../../remote/lanes.ts";
import type { Remote } from "../../remote/remote.ts";
import type { Control, Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import { problemsOf, type Seen } from "./judge.ts";
import { HARDEST, planOf } from "./plan.ts";
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
  const { seen, failures } = await inLanes<readonly [Remote, Remote], Judged>(context, {
    start: (lane) => [startHost(folder, `host-${lane}`), startHost(folder, `reader-${lane}`)],
    // Judged within the unit: where that throws, it is a failure of this unit.
    unit: async (processes, seed) => {
      const unit = await clockUnit(processes, { seed, folder, plan: planOf(seed) });
      return { ...unit, broken: problemsOf(unit) };
    },
  });
  const broken = seen.flatMap(({ seed, seen }) => seen.broken.map((what) => ({ seed, what })));
  const plans = seen.map(({ seed }) => planOf(seed));
  return {
    ran: seen.length,
    seen: {
      jumps: plans.flatMap(({ steps }) => steps).filter((step) => step.do === "jump" || step.do === "set").length,
      zones: new Set(plans.map(({ zone }) => zone)).size,
      sessions: seen.reduce((all, { seen }) => all + seen.reading.sessions.length, 0),
      ...wrongsIn(broken.map(({ what }) => what)),
    },
    controls: [await believing(context)],
    failures: [...failures, ...broken].slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

interface Judged extends Seen {
  readonly broken: readonly string[];
}

function wrongsIn(broken: readonly string[]) {
  const count = (what: RegExp) => broken.filter((each) => what.test(each)).length;
  return { negative: count(/negative/), disordered: count(/order/), lostOrDoubled: count(/differ|twice/) };
}

/** The same library, but that it believes the clock, lives through the hardest plans before the same judge. */
async function believing({ seed, folder }: TrialContext): Promise<Control> {
  const processes = [startHost(folder, "host-believing"), startHost(folder, "reader-believing")] as const;
  const broken: string[] = [];
  for (const plan of HARDEST) {
    const unit = await clockUnit(processes, { seed, folder, plan, without: "distrust" });
    // Whoever believes the clock also tells sessions in its order.
    const sessions = unit.reading.sessions.toSorted((one, other) => one.started.getTime() - other.started.getTime());
    broken.push(...problemsOf({ ...unit, reading: { ...unit.reading, sessions } }));
  }
  for (const process of processes) await process.end();
  const seen = wrongsIn(broken);
  return {
    without: "distrust of the clock",
    // Each mistake was made, and nothing else went wrong.
    bites: Object.values(seen).every((n) => n > 0) && !broken.some((what) => what.includes("failed with")),
    seen,
  };
}

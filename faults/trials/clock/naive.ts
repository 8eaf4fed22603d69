/** The control: a keeper that believes the clock, as many do. It lives through the same plans, in memory. */
import { sumsOfCounts } from "../../remote/host.ts";
import { HOUR, type Plan } from "./plan.ts";

export interface NaiveFaults {
  readonly negative: number;
  readonly disordered: number;
  readonly lostHours: number;
}

/** Durations are differences of the clock, sessions are sorted by it, an hour is overwritten by whoever saves it last. */
export function naiveFaultsOf({ start, steps }: Pick<Plan, "start" | "steps">): NaiveFaults {
  let now = start;
  let counted = 0;
  let unsaved = 0;
  let inHour = { hour: -1, n: 0 };
  const hours = new Map<string, number>();
  const sessions = [{ started: now, ended: now }];
  const save = () => {
    const hour = Math.floor(now / HOUR);
    inHour = { hour, n: (inHour.hour === hour ? inHour.n : 0) + unsaved };
    unsaved = 0;
    hours.set(`${sessions.length} ${hour}`, inHour.n);
    const session = sessions.at(-1);
    if (session) session.ended = now;
  };
  for (const step of steps) {
    if (step.do === "jump") now += step.ms;
    else if (step.do === "set") now = step.at;
    else if (step.do === "flush") save();
    else if (step.do === "count") {
      const n = [...sumsOfCounts(step.counts).values()].reduce((all, each) => all + each, 0);
      counted += n;
      unsaved += n;
    } else if (step.do !== "look") {
      save();
      sessions.push({ started: now, ended: now });
      inHour = { hour: -1, n: 0 };
    }
  }
  const kept = [...hours.values()].reduce((all, n) => all + n, 0);
  const negative = sessions.filter(({ started, ended }) => ended < started).length;
  const disordered = sessions.filter(({ started }, n) => started < (sessions[n - 1]?.started ?? started)).length;
  return { negative, disordered, lostHours: kept === counted ? 0 : 1 };
}

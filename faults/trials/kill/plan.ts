import {
  type Aim,
  type CountStep,
  type LifeSpec,
  PHASES,
  type Phase,
  type Place,
  type Step,
} from "../../child/spec.ts";
import type { Random } from "../../random.ts";

/** What a life of the chain is to be about when it is killed. */
export interface Plan {
  readonly phase: Phase;
  readonly place: Place;
  readonly flushEveryMs: number;
  readonly steps: readonly Step[];
  readonly aim: Aim | null;
  /** Where the killing is done from outside, as nothing inside runs yet: so long after the process was started. */
  readonly killAfterMs: number | null;
}

/** How long each phase lasted when it was left alone, in ms: a kill is aimed at a moment within. */
export type Durations = Readonly<Record<Phase, number>>;

const USERS = [1, 2, 3, 4];
const SERVERS = [1, 2, 3];

const FLUSH_EVERY_MS = [50, 100, 200, 400];
/** The moment is drawn from a little more than the phase lasted, as it lasts longer at times. */
const BEYOND = 1.05;
const WARM_UP_MS = 25;
const FOR_LONG: Step = { do: "wait", ms: 30_000 };
const COUNTING_MS = [80, 500] as const;

/** `beginning` is a part of starting that nobody asked to be told apart; of being stuck, another trial tells. */
const AIMED = PHASES.filter((phase) => phase !== "beginning" && phase !== "stuck");

/** The phases that can be told apart in that place: in a host's file nothing is erased, as its pages are the host's. */
export function phasesIn(place: Place, isFirst: boolean): readonly Phase[] {
  const impossible: Phase[] = [...(place === "host" ? (["erasing"] as const) : [])];
  // A first life has nothing to fold, and no file to migrate.
  if (isFirst) impossible.push("folding", "migrating");
  return AIMED.filter((phase) => !impossible.includes(phase));
}

export const counting = (ms: number, errors: boolean): CountStep => ({
  do: "count",
  ms,
  users: USERS,
  servers: SERVERS,
  errors,
});

export function planLife(phase: Phase, place: Place, durations: Durations, random: Random): Plan {
  const flushEveryMs = random.pick(FLUSH_EVERY_MS);
  const within = random.next();
  const aim = (as: Phase, from: number, to: number, nth = 1): Aim => ({
    phase: as,
    nth,
    delayMs: (from + within * (to - from)) * durations[as] * BEYOND,
  });
  const countingMs = random.whole(...COUNTING_MS);
  const warmUp: CountStep = counting(WARM_UP_MS, random.percent(50));
  const saved: Step[] = [warmUp, { do: "flush" }, warmUp];
  const user = random.pick(USERS);
  const deletes: Step = { do: "delete", user, within: place === "host" && random.percent(50) };
  const base = { phase, place, flushEveryMs, killAfterMs: null };
  switch (phase) {
    case "counting":
      return {
        ...base,
        steps: [{ ...warmUp, ms: countingMs }],
        aim: { phase: "counting", nth: 1, delayMs: within * countingMs },
      };
    case "saving":
      return { ...base, steps: [...saved, { do: "flush" }], aim: aim("saving", 0, 1, random.whole(1, 2)) };
    case "deleting":
      return { ...base, steps: [...saved, deletes], aim: aim("deleting", 0, place === "host" ? 1 : 0.3) };
    case "erasing":
      return { ...base, steps: [...saved, { ...deletes, within: false }], aim: aim("deleting", 0.2, 1) };
    case "resetting": {
      const server = random.percent(50) ? null : random.pick(SERVERS);
      return { ...base, steps: [...saved, { do: "reset", server }], aim: aim("resetting", 0, 1) };
    }
    case "migrating":
      // In this thread, so that opening is all that this phase is about.
      return { ...base, place: place === "own" ? "same" : place, steps: [], aim: aim("migrating", 0, 1) };
    case "starting":
      // It may have started sooner than others did, and is then to be killed while it has nothing to do.
      return { ...base, steps: [FOR_LONG], aim: null, killAfterMs: within * durations.starting * BEYOND };
    default:
      return { ...base, steps: [], aim: aim(phase, 0, 1) };
  }
}

/** A life that is left alone and does everything once: from it durations are learned. */
export const EVERYTHING: readonly Step[] = [
  counting(WARM_UP_MS, true),
  { do: "flush" },
  counting(WARM_UP_MS, true),
  { do: "flush" },
  { do: "delete", user: USERS[0] as number, within: false },
  { ...counting(WARM_UP_MS, true), users: USERS.slice(1) },
  { do: "reset", server: SERVERS[0] as number },
  { do: "close" },
];

export type SpecOfPlan = Pick<LifeSpec, "file" | "ledger" | "driver" | "seed">;

export function specOf({ place, flushEveryMs, steps, aim, phase }: Plan, given: SpecOfPlan): LifeSpec {
  return { ...given, place, flushEveryMs, steps, aim, sabotage: null, migrates: phase === "migrating" };
}

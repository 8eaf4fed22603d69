/** What the clock of a host does, and what the host does meanwhile: drawn from a seed. */
import { COUNTERS, serverOf, userOf } from "../../oracle/names.ts";
import { type Random, randomOf } from "../../random.ts";
import type { Count } from "../../remote/host.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TEN_YEARS = 3_653 * DAY;

export type Step =
  | { readonly do: "count"; readonly counts: readonly Count[] }
  | { readonly do: "flush" | "restart" | "kill" | "look" }
  /** The clock is set forward or back by so many ms, or to a moment; at once, or while a save is under way. */
  | { readonly do: "jump"; readonly ms: number; readonly inSave: boolean }
  | { readonly do: "set"; readonly at: number };

export interface Plan {
  readonly zone: string;
  readonly start: number;
  /** Undefined: the library's own 90 days. */
  readonly keepHistory: number | undefined;
  readonly steps: readonly Step[];
}

/** Zones whose clocks are known to be hard: half hours, quarters, changes at midnight, changes of a whole day. */
const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "America/Santiago",
  "Africa/Casablanca",
  "Africa/Cairo",
  "Asia/Kathmandu",
  "Asia/Tehran",
  "Asia/Beirut",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Chatham",
] as const;

/** Just before something that clocks and calendars get wrong. */
const EDGES: Readonly<Record<string, number>> = {
  "summer begins in Europe": Date.UTC(2026, 2, 29, 0, 59, 59),
  "summer ends in Europe": Date.UTC(2026, 9, 25, 0, 59, 59),
  "summer begins in New York": Date.UTC(2026, 2, 8, 6, 59, 59),
  "summer ends in New York": Date.UTC(2026, 10, 1, 5, 59, 59),
  "summer ends in Lord Howe, by half an hour": Date.UTC(2026, 3, 4, 14, 59, 59),
  "summer begins in Santiago, at midnight": Date.UTC(2026, 8, 6, 3, 59, 59),
  "summer begins in Cairo, at midnight": Date.UTC(2026, 3, 23, 21, 59, 59),
  "a leap day begins": Date.UTC(2028, 1, 28, 23, 59, 59),
  "a leap day ends": Date.UTC(2028, 1, 29, 23, 59, 59),
  "a year without a leap day": Date.UTC(2027, 1, 28, 23, 59, 59),
  "a leap second was": Date.UTC(2016, 11, 31, 23, 59, 59, 900),
  "a year ends": Date.UTC(2026, 11, 31, 23, 59, 59, 500),
  "32 bits of seconds end": Date.UTC(2038, 0, 19, 3, 14, 7),
};

const NOON = Date.UTC(2026, 10, 23, 12, 10);

const FORWARD = [SECOND, MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 25 * HOUR, TEN_YEARS];
const BACK = [-SECOND, -MINUTE, -20 * MINUTE, -HOUR, -2 * HOUR, -3 * HOUR, -25 * HOUR, -TEN_YEARS];

export function planOf(seed: number): Plan {
  const random = randomOf(seed);
  const base = { zone: random.pick(ZONES), start: random.percent(40) ? NOON : random.pick(Object.values(EDGES)) };
  const kind = random.whole(0, 9);
  // Forward only: then each count is in the hour in which it was made.
  if (kind < 2) return { ...base, keepHistory: 36_500, steps: stepsOf(random, FORWARD, 18) };
  // For a while the clock shows another decade, and is put right again: what history holds by default must survive.
  if (kind < 4) return { ...base, keepHistory: undefined, steps: glitchOf(random) };
  return { ...base, keepHistory: 36_500, steps: stepsOf(random, [...FORWARD, ...BACK], 24) };
}

const jump = (ms: number): Step => ({ do: "jump", ms, inSave: false });
const counted = (run: number): Step[] => [
  { do: "count", counts: [{ userId: userOf(1), server: serverOf(run), counter: COUNTERS[0], n: 5 }] },
  { do: "flush" },
];

/** What a keeper that believes the clock gets wrong, for the control. */
export const HARDEST: readonly Plan[] = [
  // It was saved before it began, under an hour of which it knows nothing.
  [...counted(0), jump(-20 * MINUTE), ...counted(0)],
  // The later one began earlier.
  [...counted(0), jump(-TEN_YEARS), { do: "restart" as const }, ...counted(1)],
  // What is not old is taken for it.
  [
    ...counted(0),
    jump(TEN_YEARS),
    ...counted(0),
    { do: "restart" as const },
    ...counted(1),
    jump(-TEN_YEARS),
    ...counted(1),
  ],
].map((steps) => ({ zone: "UTC", start: NOON, keepHistory: undefined, steps }));

export const isForwardOnly = ({ steps }: Plan) =>
  steps.every((step) =>
    step.do !== "set" && step.do !== "jump" ? true : step.do === "jump" && step.ms > 0 && !step.inSave,
  );

function stepsOf(random: Random, jumps: readonly number[], length: number): Step[] {
  const isForward = jumps.every((ms) => ms > 0);
  const state = { run: 0 };
  const steps: Step[] = [countOf(random, 0), { do: "flush" }];
  for (let n = 0; n < length; n++) steps.push(...stepOf(random, jumps, isForward, state));
  return [...steps, countOf(random, state.run), { do: "flush" }];
}

function stepOf(random: Random, jumps: readonly number[], isForward: boolean, state: { run: number }): Step[] {
  const chance = random.whole(0, 99);
  if (chance < 30) return [countOf(random, state.run), { do: "flush" }];
  if (chance < 40 && !isForward) return [countOf(random, state.run)];
  if (chance < 75) return [{ do: "jump", ms: random.pick(jumps), inSave: !isForward && random.percent(30) }];
  if (chance < 83 && !isForward) return [{ do: "set", at: random.pick(Object.values(EDGES)) }];
  if (chance < 88) return [{ do: "look" }];
  const ending: Step[] = random.percent(75) ? [{ do: "restart" }] : [{ do: "flush" }, { do: "kill" }];
  state.run += 1;
  // The clock may be wrong from the start on.
  const jump: Step[] = random.percent(40) ? [{ do: "jump", ms: random.pick(jumps), inSave: false }] : [];
  return [...ending, ...jump, countOf(random, state.run), { do: "flush" }];
}

/** Every step of it is within the days that are kept, but for the clock's own mistake. */
function glitchOf(random: Random): Step[] {
  const small = [SECOND, MINUTE, HOUR, 3 * HOUR, 25 * HOUR];
  // Not back: what is counted in another decade is as old as that, and goes with it.
  const jump = random.pick([TEN_YEARS, 400 * DAY, 120 * DAY, 30 * DAY]);
  const restarts: Step[] = random.percent(50) ? [{ do: "restart" }] : [];
  const before = stepsOf(random, small, 6);
  const run = before.filter((step) => step.do === "restart" || step.do === "kill").length;
  const counted = (n: number): Step[] => [countOf(random, n), { do: "flush" }];
  return [
    ...before,
    { do: "jump", ms: jump, inSave: random.percent(30) },
    ...counted(run),
    ...restarts,
    ...counted(run + restarts.length),
    { do: "jump", ms: -jump, inSave: false },
    ...counted(run + restarts.length),
    ...restarts,
    ...counted(run + 2 * restarts.length),
  ];
}

/** Each run of the agent counts for a server of its own, so that no session can be taken for another's. */
function countOf(random: Random, run: number): Step {
  const counts = Array.from({ length: random.whole(1, 4) }, () => ({
    userId: userOf(random.whole(1, 2)),
    server: serverOf(run),
    counter: random.pick(COUNTERS),
    n: random.whole(1, 1_000),
  }));
  return { do: "count", counts };
}

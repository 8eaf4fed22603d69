/**
 * Three to eight processes and threads count, save, look, delete and reset in one file at the same time, while their
 * processes are killed at random and others start in their place, each of which folds what the dead left. Each life
 * counts servers of its own, so that its ledger tells exactly what must be there; beside it a reader looks on, and a
 * process without the library shows what the machine alone does to an event loop.
 */

import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { seedOfUnit } from "../../random.ts";
import type { Failure, Trial, TrialContext } from "../../trial.ts";
import { controls } from "./controls.ts";
import { blockedTooLong } from "./stalls.ts";
import { CROWD, type JudgedWave, wave } from "./wave.ts";

const KILLS_A_WAVE = 20;
const KILLS_AT_FULL = 1_000;
/** So many counts a kill are owed; further waves make up for what is missing, up to so many times the waves. */
const COUNTS_A_KILL = 10_000;
const MOST_TIMES = 1.5;

export const crowd: Trial = {
  name: "crowd",
  what: "3 to 8 processes and threads count, read, delete, reset and start at once on one file, killed at random",
  unit: "kills",
  atLeast: KILLS_AT_FULL,
  scale: { small: 20, full: KILLS_AT_FULL },
  run,
};

interface Wave {
  readonly seed: number;
  readonly judged: JudgedWave;
}

async function run({ count, seed, folder, progress }: TrialContext) {
  const waves: Wave[] = [];
  const failures: Failure[] = [];
  let kills = 0;
  let ran = 0;
  // One crowd after another: two at once would be one machine's work twice, and blur what blocks whom.
  const runWave = async () => {
    const waveSeed = seedOfUnit(seed, ran++);
    try {
      const judged = await wave({ seed: waveSeed, kills: KILLS_A_WAVE, folder, killed: () => progress(++kills) });
      waves.push({ seed: waveSeed, judged });
    } catch (error) {
      failures.push({ seed: waveSeed, what: `${error}` });
    }
  };
  const wanted = Math.ceil(count / KILLS_A_WAVE);
  while (ran < wanted) await runWave();
  // Where the machine is slow, lives are killed before they have counted much.
  const counted = () => waves.reduce((sum, { judged }) => sum + judged.counts, 0);
  while (counted() < COUNTS_A_KILL * KILLS_A_WAVE * wanted && ran < MOST_TIMES * wanted) await runWave();
  const judged = waves.map((each) => each.judged);
  for (const { seed: waveSeed, judged } of waves) {
    const stall = blockedTooLong(judged.stalls);
    for (const what of [...judged.findings, ...(stall === null ? [] : [stall])])
      failures.push({ seed: waveSeed, what });
  }
  if (count >= KILLS_AT_FULL) failures.push(...tooLittle(judged).map((what) => ({ seed, count, what })));
  return {
    ran: kills,
    seen: seenIn(judged),
    controls: await controls(seed, folder),
    failures: failures.slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

/** What a whole run owes, and not each of its waves. */
function tooLittle(waves: readonly JudgedWave[]): string[] {
  const { counts = 0, smallestCrowd, largestCrowd } = seenIn(waves);
  const owed = COUNTS_A_KILL * KILLS_AT_FULL;
  const [least, most] = CROWD;
  return [
    ...(counts < owed ? [`${counts} counts were judged, and ${owed} are owed`] : []),
    ...(smallestCrowd !== least || largestCrowd !== most
      ? [`${smallestCrowd} to ${largestCrowd} members were at work at once, instead of ${least} to ${most}`]
      : []),
  ];
}

function seenIn(waves: readonly JudgedWave[]): Record<string, number> {
  const sum = (of: (wave: JudgedWave) => number) => waves.reduce((total, each) => total + of(each), 0);
  const most = (of: (wave: JudgedWave) => number) => Math.round(Math.max(0, ...waves.map(of)));
  const wrongs = Object.keys(waves[0]?.wrongs ?? {}) as (keyof JudgedWave["wrongs"])[];
  return {
    ...Object.fromEntries(wrongs.map((wrong) => [wrong, sum(({ wrongs: of }) => of[wrong])])),
    counts: sum(({ counts }) => counts),
    looks: sum(({ looks }) => looks),
    deletions: sum(({ deletions }) => deletions),
    resets: sum(({ resets }) => resets),
    smallestCrowd: waves.reduce<number>((least, { atOnce }) => Math.min(least, atOnce), CROWD[1]),
    largestCrowd: most(({ atOnce }) => atOnce),
    blockedMs: most(({ stalls }) => stalls.againMs),
    blockedOnceMs: most(({ stalls }) => stalls.longestMs),
    lateMsWithoutLibrary: most(({ stalls }) => stalls.longestBareMs),
  };
}

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
import type { JudgedCrowd } from "./judge.ts";
import { wave } from "./wave.ts";

export const crowd: Trial = {
  name: "crowd",
  what: "3 to 8 processes and threads count, read, delete, reset and start at once on one file, killed at random",
  unit: "kills",
  atLeast: 1_000,
  scale: { small: 20, full: 1_000 },
  run,
};

const KILLS_A_WAVE = 20;
/** So many counts a kill are owed; further waves make up for what is missing, up to so many times the waves. */
const COUNTS_A_KILL = 10_000;
const MOST_TIMES = 1.5;
/** What an event loop may be blocked for at most. */
const BLOCKED_MS = 50;
/**
 * On a machine that is busy with other things a process without the library is blocked too. Those with it are three
 * times as many, so that one of them meets the rare long stall sooner.
 */
const TIMES_BARE = 3;

async function run({ count, seed, folder, progress }: TrialContext) {
  const waves: { seed: number; judged: JudgedCrowd }[] = [];
  let kills = 0;
  const seeds = Array.from({ length: Math.ceil(count / KILLS_A_WAVE) }, (_, n) => seedOfUnit(seed, n));
  const runWave = async (waveSeed: number) => {
    const judged = await wave({ seed: waveSeed, kills: KILLS_A_WAVE, folder, killed: () => progress(++kills) });
    waves.push({ seed: waveSeed, judged });
  };
  // One crowd after another: two at once would be one machine's work twice, and blur what blocks whom.
  for (const waveSeed of seeds) await runWave(waveSeed);
  // Where the machine is slow, lives are killed before they have counted much.
  const counted = () => waves.reduce((sum, { judged }) => sum + judged.counts, 0);
  const isOwed = () => counted() < COUNTS_A_KILL * KILLS_A_WAVE * seeds.length;
  for (let n = seeds.length; isOwed() && n < MOST_TIMES * seeds.length; n++) {
    await runWave(seedOfUnit(seed, n));
  }
  const bareBlockedMs = Math.max(...waves.map(({ judged }) => judged.bareBlockedMs));
  const failures = waves.flatMap(({ seed: waveSeed, judged }): Failure[] => [
    ...judged.findings.map((what) => ({ seed: waveSeed, what })),
    ...blockedTooLong(judged, bareBlockedMs).map((what) => ({ seed: waveSeed, what })),
  ]);
  return {
    ran: kills,
    seen: seenIn(waves.map(({ judged }) => judged)),
    controls: await controls(seed, folder),
    failures: failures.slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

function blockedTooLong({ blockedMs }: JudgedCrowd, bareBlockedMs: number): string[] {
  if (blockedMs <= Math.max(BLOCKED_MS, TIMES_BARE * bareBlockedMs)) return [];
  return [
    `an event loop was blocked for ${blockedMs.toFixed(0)} ms, and without the library ${bareBlockedMs.toFixed(0)} ms`,
  ];
}

function seenIn(waves: readonly JudgedCrowd[]): Record<string, number> {
  const sum = (of: (wave: JudgedCrowd) => number) => waves.reduce((total, each) => total + of(each), 0);
  const most = (of: (wave: JudgedCrowd) => number) => Math.round(Math.max(0, ...waves.map(of)));
  const wrongs = Object.keys(waves[0]?.wrongs ?? {}) as (keyof JudgedCrowd["wrongs"])[];
  return {
    ...Object.fromEntries(wrongs.map((wrong) => [wrong, sum(({ wrongs: of }) => of[wrong])])),
    counts: sum(({ counts }) => counts),
    looks: sum(({ looks }) => looks),
    deletions: sum(({ deletions }) => deletions),
    resets: sum(({ resets }) => resets),
    blockedMs: most(({ blockedMs }) => blockedMs),
    blockedMsWithoutLibrary: most(({ bareBlockedMs }) => bareBlockedMs),
  };
}

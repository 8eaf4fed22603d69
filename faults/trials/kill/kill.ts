/**
 * A process that keeps statistics is killed by SIGKILL at a random moment in everything that it does, again and again
 * on one file. After each kill an independent reader compares the file with the ledger that the process wrote before
 * each `add` and after each acknowledgement: what is kept must be, in all its numbers at once, what had been counted at
 * one moment, no earlier than the last acknowledgement and no further back than the declared loss.
 */
import { join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import type { Place } from "../../child/spec.ts";
import { DRIVERS, DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inParallel } from "../../parallel.ts";
import { seedOfUnit } from "../../random.ts";
import type { Failure, Trial, TrialContext } from "../../trial.ts";
import { runChain } from "./chain.ts";
import { controls } from "./controls.ts";
import { type Durations, learn } from "./durations.ts";
import { Score } from "./score.ts";

/** One file lives through so many kills. */
const KILLS_A_CHAIN = 8;

/** A life that is to be killed waits for most of its time. */
const LANES = 2;

/** The library's own file is the usual place, so it is tried more often. */
const PLACES: readonly Place[] = ["own", "host", "own"];

export const kill: Trial = {
  name: "kill",
  what: "SIGKILL at a random moment of counting, saving, folding, deleting, resetting, migrating, erasing, starting",
  unit: "kills",
  atLeast: 2_000,
  scale: { small: 64, full: 2_080 },
  run,
};

interface Kind {
  readonly driver: DriverName;
  readonly place: Place;
}

const KINDS: readonly Kind[] = DRIVERS.flatMap((driver) => PLACES.map((place) => ({ driver, place })));

async function run({ count, seed, folder, parallel, progress }: TrialContext) {
  const durations = new Map<string, Durations>();
  for (const { driver, place } of KINDS) {
    const name = `${driver} ${place}`;
    if (!durations.has(name)) durations.set(name, await learn({ driver, place, folder }));
  }
  const score = new Score();
  const failures: Failure[] = [];
  const chains = Array.from({ length: Math.ceil(count / KILLS_A_CHAIN) }, (_, n) => n);
  await inParallel(chains, LANES * parallel, async (n) => {
    const chainSeed = seedOfUnit(seed, n);
    const kills = Math.min(KILLS_A_CHAIN, count - n * KILLS_A_CHAIN);
    // By its seed, so that the same seed repeats the same chain.
    const { driver, place } = KINDS[chainSeed % KINDS.length] as Kind;
    const known = durations.get(`${driver} ${place}`) as Durations;
    await runChain({ seed: chainSeed, driver, place, kills, folder }, known, (judged, about, nth) => {
      score.add(judged);
      for (const { wrong, what } of judged.findings) {
        failures.push({
          seed: chainSeed,
          count: nth,
          what: `${wrong}, killed in ${about} (${place}, ${driver}): ${what}`,
        });
      }
      progress(score.kills);
    });
  });
  return {
    ran: score.kills,
    seen: score.seen(),
    controls: await controls({ seed, folder: join(folder), driver: DRIVERS[0] as DriverName }),
    failures: failures.slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

import { existsSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import type { Phase, Place } from "../../child/spec.ts";
import type { Judged } from "../../oracle/judge.ts";
import { judgeFile, ledgerPath, live } from "../../oracle/life.ts";
import { backToSchema1 } from "../../oracle/schema-1.ts";
import type { Sums } from "../../oracle/worlds.ts";
import { type Random, randomOf } from "../../random.ts";
import { type Durations, phasesIn, planLife, specOf } from "./plan.ts";

/** One file, and the lives that are counted into it one after another, each of which is killed. */
export interface Chain {
  readonly seed: number;
  readonly driver: DriverName;
  readonly place: Place;
  /** How many lives. */
  readonly kills: number;
  readonly folder: string;
}

/** Judges each life of the chain; every file that one leaves is what the next begins with. */
export async function runChain(
  { seed, driver, place, kills, folder }: Chain,
  durations: Durations,
  judged: (life: Judged, about: Phase, nth: number) => void,
): Promise<void> {
  const random = randomOf(seed);
  const own = mkdtempSync(join(folder, "chain-"));
  const file = join(own, "stats.db");
  let before: Sums = new Map();
  const phases = shuffled(phasesIn(place, false), random);
  for (let n = 0; n < kills; n++) {
    const wanted = phases[n % phases.length] as Phase;
    const phase = phasesIn(place, !existsSync(file)).includes(wanted) ? wanted : "counting";
    const plan = planLife(phase, place, durations, random);
    if (phase === "migrating") backToSchema1(file, driver);
    const spec = specOf(plan, { file, ledger: ledgerPath(own, `life-${n}`), driver, seed: random.whole(0, 2 ** 31) });
    const life = await live(spec, own, plan.killAfterMs);
    const verdict = await judgeFile(spec, life, before);
    judged(verdict, phase, n + 1);
    // Whoever goes on with what nobody can read tells nothing more.
    if (verdict.findings.some(({ wrong }) => wrong === "corrupt")) return;
    before = verdict.sums;
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

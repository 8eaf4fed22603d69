/**
 * A session is taken for dead that is not: its process is frozen (SIGSTOP) at a random moment, another one starts and
 * folds what it finds dead, deletes a user, counts; then the first is thawed and goes on. And a commit is reported as
 * failed that was done: the host is told so of every kind of write, and tries again. After each time all that was
 * acknowledged must be there exactly once. A frozen session that holds its lock must not be folded at all.
 */
import type { DriverName } from "agent-stats/sqlcipher";
import { DRIVERS, DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inParallel } from "../../parallel.ts";
import { seedOfUnit } from "../../random.ts";
import type { Control, Failure, Trial, TrialContext } from "../../trial.ts";
import { type PairOf, runPair, type StaleKind, type UnitSeen } from "./pair.ts";

export const stale: Trial = {
  name: "stale",
  what: "a session frozen, folded by another, thawed; a commit reported as failed that was done",
  unit: "times",
  atLeast: 500,
  scale: { small: 32, full: 528 },
  run,
};

const UNITS_A_PAIR = 8;
/** Who is frozen, and who counts for a while, waits. */
const LANES = 2;
const KINDS: readonly StaleKind[] = ["lock lost", "commits", "no lock", "lock held"];

async function run({ count, seed, folder, parallel, progress }: TrialContext) {
  const failures: Failure[] = [];
  const wrongs = { acknowledgedLost: 0, doubled: 0, torn: 0, broughtBack: 0, foldedAlive: 0 };
  const seen = { frozen: 0, foldedWhileFrozen: 0, failedCommits: 0 };
  let done = 0;
  const seeds = Array.from({ length: Math.ceil(count / UNITS_A_PAIR) }, (_, n) => seedOfUnit(seed, n));
  await inParallel(seeds, LANES * parallel, async (pairSeed) => {
    // By its seed, so that the same seed repeats the same pair.
    const kind = KINDS[pairSeed % KINDS.length] as StaleKind;
    const driver = DRIVERS[Math.floor(pairSeed / KINDS.length) % DRIVERS.length] as DriverName;
    await runPair({ seed: pairSeed, kind, driver, units: UNITS_A_PAIR, folder }, (unit) => {
      for (const { wrong, what } of unit.findings) {
        wrongs[wrong] += 1;
        failures.push({ seed: pairSeed, what: `${kind}, ${driver}: ${wrong}: ${what}` });
      }
      seen.frozen += kind === "commits" ? 0 : 1;
      seen.foldedWhileFrozen += unit.wasFolded ? 1 : 0;
      seen.failedCommits += unit.failedCommits;
      progress(++done);
    });
  });
  return {
    ran: done,
    seen: { ...wrongs, ...seen },
    controls: await controls(seed, folder),
    failures: failures.slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

const UNITS_A_CONTROL = 4;

async function controls(seed: number, folder: string): Promise<Control[]> {
  const control = async (of: Pick<PairOf, "kind" | "sabotage">): Promise<UnitSeen[]> => {
    const units: UnitSeen[] = [];
    const pair = { ...of, seed, driver: DRIVERS[0] as DriverName, units: UNITS_A_CONTROL, folder };
    await runPair(pair, (unit) => units.push(unit));
    return units;
  };
  const wrongIn = (units: readonly UnitSeen[]) => units.filter(({ findings }) => findings.length > 0).length;
  const unchecked = wrongIn(await control({ kind: "no lock", sabotage: "no open check" }));
  const added = wrongIn(await control({ kind: "commits", sabotage: "added saves" }));
  const lockless = (await control({ kind: "lock held", sabotage: "no locks" })).filter(({ wasFolded }) => wasFolded);
  return [
    { without: "looking whether the session was folded", bites: unchecked > 0, seen: { wrong: unchecked } },
    { without: "absolute values in saves", bites: added > 0, seen: { wrong: added } },
    { without: "the session's lock", bites: lockless.length > 0, seen: { foldedAlive: lockless.length } },
  ];
}

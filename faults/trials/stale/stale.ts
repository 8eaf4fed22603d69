/**
 * A session is taken for dead that is not: its process is frozen (SIGSTOP) at a random moment, another one starts and
 * folds what it finds dead, deletes a user, counts; then the first is thawed and goes on. And a commit is reported as
 * failed that was done: the host is told so of every kind of write, and tries again. After each time all that was
 * acknowledged must be there exactly once. A frozen session that holds its lock must not be folded at all. Counted is what
 * came to pass: a session folded while it was frozen, or commits reported as failed.
 */
import type { DriverName } from "agent-stats/sqlcipher";
import type { Sabotage } from "../../child/spec.ts";
import { DRIVERS, DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inParallel } from "../../parallel.ts";
import { seedOfUnit } from "../../random.ts";
import type { Control, Failure, Trial, TrialContext } from "../../trial.ts";
import { type Finding, WRONGS } from "./judge.ts";
import { runPair, type StaleKind, type UnitSeen } from "./pair.ts";

export const stale: Trial = {
  name: "stale",
  what: "a session frozen, folded by another, thawed; a commit reported as failed that was done",
  unit: "times",
  atLeast: 500,
  scale: { small: 32, full: 512 },
  run,
};

const UNITS_A_PAIR = 8;
/** So often a session is frozen before that holds its lock: that is not counted, as nothing may come of it. */
const HELD_A_PAIR = 2;
/** Who is frozen, and who counts for a while, waits. */
const LANES = 2;
/** Two of three freeze a session; of the ones with a file of their own, some keep the lock at first. */
const KINDS = ["lock lost", "commits", "no lock"] as const satisfies readonly StaleKind[];

async function run({ count, seed, folder, parallel, progress }: TrialContext) {
  const failures: Failure[] = [];
  const wrongs = Object.fromEntries(WRONGS.map((wrong) => [wrong, 0])) as Record<Finding["wrong"], number>;
  const seen = { foldedWhileFrozen: 0, commitsFailed: 0, failedCommits: 0, heldWhileFrozen: 0, notMade: 0 };
  let done = 0;
  const pairs = Array.from({ length: Math.ceil(count / UNITS_A_PAIR) }, (_, n) => n);
  await inParallel(pairs, LANES * parallel, async (n) => {
    const pairSeed = seedOfUnit(seed, n);
    // By its seed, so that the same seed repeats the same pair.
    const kind = KINDS[pairSeed % KINDS.length] as (typeof KINDS)[number];
    const driver = DRIVERS[Math.floor(pairSeed / KINDS.length) % DRIVERS.length] as DriverName;
    const units = Array<StaleKind>(Math.min(UNITS_A_PAIR, count - n * UNITS_A_PAIR)).fill(kind);
    const held = Array<StaleKind>(kind === "lock lost" ? HELD_A_PAIR : 0).fill("lock held");
    let made = 0;
    const about = { seed: pairSeed, kinds: [...held, ...units], driver, folder };
    const ran = runPair(about, (unit) => {
      for (const { wrong, what } of unit.findings) {
        wrongs[wrong] += 1;
        failures.push({ seed: pairSeed, count: made + 1, what: `${unit.kind}, ${driver}: ${wrong}: ${what}` });
      }
      seen.failedCommits += unit.failedCommits;
      if (!unit.isMade) seen.notMade += 1;
      else if (unit.kind === "lock held") seen.heldWhileFrozen += 1;
      else {
        made += 1;
        seen[unit.kind === "commits" ? "commitsFailed" : "foldedWhileFrozen"] += 1;
        progress(++done);
      }
    });
    // A host that ends or hangs is a failure of its pair alone.
    await ran.catch((error: unknown) => {
      failures.push({ seed: pairSeed, count: made + 1, what: `${kind}, ${driver}: ${error}` });
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
  const control = async (kind: StaleKind, sabotage: Sabotage): Promise<UnitSeen[]> => {
    const units: UnitSeen[] = [];
    const kinds = Array<StaleKind>(UNITS_A_CONTROL).fill(kind);
    const pair = { kinds, sabotage, seed, driver: DRIVERS[0] as DriverName, folder };
    await runPair(pair, (unit) => units.push(unit));
    return units;
  };
  const wrongIn = (units: readonly UnitSeen[]) => units.filter(({ findings }) => findings.length > 0).length;
  const unchecked = wrongIn(await control("no lock", "no open check"));
  const added = wrongIn(await control("commits", "added saves"));
  const lockless = (await control("lock held", "no locks")).filter(({ wasFolded }) => wasFolded);
  return [
    { without: "looking whether the session was folded", bites: unchecked > 0, seen: { wrong: unchecked } },
    { without: "absolute values in saves", bites: added > 0, seen: { wrong: added } },
    { without: "the session's lock", bites: lockless.length > 0, seen: { foldedAlive: lockless.length } },
  ];
}

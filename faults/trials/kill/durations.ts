import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import { PHASES, type Phase, type Place } from "../../child/spec.ts";
import { type Entry, WHAT } from "../../oracle/ledger.ts";
import { judgeFile, type LivedLife, ledgerPath, live } from "../../oracle/life.ts";
import { backToSchema1 } from "../../oracle/schema-1.ts";
import type { Sums } from "../../oracle/worlds.ts";
import { type Durations, EVERYTHING, specOf } from "./plan.ts";

export type { Durations } from "./plan.ts";

/** Lets lives do everything undisturbed, the second on the file of the first, and sees how long each phase takes. */
export async function learn(of: {
  readonly driver: DriverName;
  readonly place: Place;
  readonly folder: string;
}): Promise<Durations> {
  const { driver, place, folder } = of;
  const own = mkdtempSync(join(folder, "learn-"));
  const file = join(own, "stats.db");
  let before: Sums = new Map();
  const longest = new Map<Phase, number>();
  for (const n of [0, 1, 2]) {
    const last = n === 2;
    if (last) backToSchema1(file, driver);
    const plan = {
      phase: last ? ("migrating" as const) : ("starting" as const),
      place,
      flushEveryMs: 400,
      steps: EVERYTHING,
    };
    const spec = {
      ...specOf(
        { ...plan, aim: null, killAfterMs: null },
        { file, ledger: ledgerPath(own, `life-${n}`), driver, seed: n },
      ),
      ...(last && place === "own" && { place: "same" as const }),
    };
    const life = await live(spec, own);
    const judged = await judgeFile(spec, life, before, { how: "close", ended: { code: 0, signal: null } });
    if (judged.findings.length > 0) {
      throw new Error(
        `it does not even hold when nothing is killed: ${judged.findings.map(({ what }) => what).join("; ")}`,
      );
    }
    before = judged.sums;
    for (const [phase, ms] of durationsIn(life)) longest.set(phase, Math.max(longest.get(phase) ?? 0, ms));
  }
  return Object.fromEntries(PHASES.map((phase) => [phase, longest.get(phase) ?? 1])) as Record<Phase, number>;
}

function durationsIn({ entries, startedAt }: LivedLife): [Phase, number][] {
  const since = new Map<number, number>();
  const found: [Phase, number][] = [];
  for (const { what, amount, at } of entries) {
    if (what === WHAT.phase) since.set(amount, at);
    const begun = since.get(amount);
    if (what === WHAT.phaseOver && begun !== undefined) found.push([PHASES[amount] as Phase, at - begun]);
  }
  // A process starts long before it can say so itself.
  const started = entries.find((entry: Entry) => entry.what === WHAT.started);
  return [...found.filter(([phase]) => phase !== "starting"), ["starting", (started?.at ?? startedAt) - startedAt]];
}

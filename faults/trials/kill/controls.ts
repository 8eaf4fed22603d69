import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import type { LifeSpec } from "../../child/spec.ts";
import type { WrongOfLife } from "../../oracle/judge.ts";
import { judgeFile, ledgerPath, live } from "../../oracle/life.ts";
import type { Sums } from "../../oracle/worlds.ts";
import type { Control } from "../../trial.ts";
import { counting } from "./plan.ts";
import { Score } from "./score.ts";

interface ControlPlan {
  readonly without: string;
  /** What the judge must then see. */
  readonly shows: WrongOfLife;
  /** Lives on one file, one after another. */
  readonly lives: readonly Partial<LifeSpec>[];
  /** The loss that is declared, where it is another than what is done. */
  readonly declaredMs?: number;
}

const FLUSHES = [counting(30, true), { do: "flush" }, { do: "wait", ms: 30 }] as const;
/** In the pause after the flush. */
const AFTER_FLUSH = { phase: "saving", nth: 1, delayMs: 20 } as const;

const PLANS: readonly ControlPlan[] = [
  {
    without: "waiting for the commit before a flush is acknowledged",
    shows: "acknowledgedLost",
    lives: [1, 2, 3].map(() => ({ steps: FLUSHES, aim: AFTER_FLUSH, sabotage: "early acknowledgement" as const })),
  },
  {
    without: "the mark on a session that is folded",
    shows: "doubled",
    lives: [
      { steps: FLUSHES, aim: AFTER_FLUSH, place: "host" },
      { steps: FLUSHES, aim: AFTER_FLUSH, place: "host", sabotage: "fold without mark" },
      { steps: FLUSHES, aim: AFTER_FLUSH, place: "host" },
    ],
  },
  {
    without: "a save at each interval",
    shows: "lateLoss",
    lives: [{ steps: [counting(900, false)], aim: { phase: "counting", nth: 1, delayMs: 850 }, flushEveryMs: 10_000 }],
    declaredMs: 50,
  },
];

/** The same kills with one mechanism taken out: the judge must see it. */
export async function controls(of: {
  readonly seed: number;
  readonly folder: string;
  readonly driver: DriverName;
}): Promise<Control[]> {
  const results: Control[] = [];
  for (const { without, shows, lives, declaredMs } of PLANS) {
    const own = mkdtempSync(join(of.folder, "control-"));
    const score = new Score();
    let before: Sums = new Map();
    for (const [index, life] of lives.entries()) {
      const spec: LifeSpec = {
        file: join(own, "stats.db"),
        ledger: ledgerPath(own, `life-${index}`),
        driver: of.driver,
        seed: of.seed + index,
        place: "own",
        flushEveryMs: 10_000,
        steps: [],
        aim: null,
        sabotage: null,
        migrates: false,
        ...life,
      };
      const lived = await live(spec, own);
      const judged = await judgeFile({ ...spec, flushEveryMs: declaredMs ?? spec.flushEveryMs }, lived, before);
      score.add(judged);
      before = judged.sums;
    }
    const seen = score.of(shows);
    results.push({ without, bites: seen > 0, seen: { kills: score.kills, [shows]: seen } });
  }
  return results;
}

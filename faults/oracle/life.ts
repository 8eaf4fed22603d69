import { existsSync, mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ending } from "agent-stats";
import type { LifeSpec } from "../child/spec.ts";
import { type Ended, startChild } from "../processes.ts";
import { LEDGERS } from "./canary.ts";
import { type Judged, judgeLife } from "./judge.ts";
import { readKept } from "./kept.ts";
import { type Entry, now, readLedger } from "./ledger.ts";
import type { Sums } from "./worlds.ts";

export interface LivedLife {
  readonly entries: readonly Entry[];
  readonly ended: Ended;
  /** When it was started and killed from outside, by the ledger's clock. */
  readonly startedAt: number;
  readonly killedAt: number | null;
}

/** Longer than anything here takes on a busy machine: what is not over by then hangs. */
const PATIENCE_MS = 60_000;

/** Lets a process live that life; kills it from outside, so long after it was started, where that is given. */
export async function live(spec: LifeSpec, folder: string, killAfterMs: number | null = null): Promise<LivedLife> {
  const startedAt = now();
  const child = startChild("child/life", spec, folder);
  let killedAt: number | null = null;
  const kill = () => {
    killedAt = now();
    child.kill("SIGKILL");
  };
  const timer = setTimeout(kill, killAfterMs ?? PATIENCE_MS);
  const ended = await child.ended;
  clearTimeout(timer);
  if (killAfterMs === null && killedAt !== null) throw new Error("a process under test did not come to its end");
  return { entries: entriesOf(spec), ended, startedAt, killedAt };
}

const entriesOf = ({ ledger }: Pick<LifeSpec, "ledger">) => (existsSync(ledger) ? readLedger(ledger) : []);

/** A path for the ledger of a life, in the folder that is not searched for names. */
export function ledgerPath(folder: string, name: string): string {
  mkdirSync(join(folder, LEDGERS), { recursive: true });
  return join(folder, LEDGERS, name);
}

export interface Expected {
  /** How the session is to be listed, where it was not killed. */
  readonly how?: Ending;
  readonly isStuck?: boolean;
  readonly hasProblem?: boolean;
}

/** Judges a life by the file as it lies there now. */
export async function judgeFile(
  { file, flushEveryMs }: Pick<LifeSpec, "file" | "flushEveryMs">,
  { entries, killedAt }: LivedLife,
  before: Sums,
  { how, isStuck = false, hasProblem = false }: Expected = {},
): Promise<Judged> {
  const folder = mkdtempSync(join(tmpdir(), "judged-"));
  const kept = await readKept(file, join(folder, "stats.db"));
  rmdirSync(folder);
  return judgeLife({ entries, before, kept, flushEveryMs, isStuck, hasProblem, killedAt, how: how ?? null });
}

import { existsSync, mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ending } from "agent-stats";
import type { LifeSpec } from "../child/spec.ts";
import { saidIn } from "../outputs.ts";
import { type Ended, startChild } from "../processes.ts";
import { LEDGERS } from "./canary.ts";
import { type Finding, type Judged, judgeLife } from "./judge.ts";
import { readKept } from "./kept.ts";
import { type Entry, now, readLedger, WHAT } from "./ledger.ts";
import type { Sums } from "./worlds.ts";

export interface LivedLife {
  readonly entries: readonly Entry[];
  readonly ended: Ended;
  /** When it was started and killed from outside, by the ledger's clock. */
  readonly startedAt: number;
  readonly killedAt: number | null;
  /** What it said. */
  readonly said: string;
}

/** Longer than anything here takes on a busy machine: what is not over by then hangs. */
const PATIENCE_MS = 60_000;

/**
 * Lets a process live that life, which says what it says in that folder; kills it from outside, so long after it was
 * started, where that is given.
 */
export async function live(spec: LifeSpec, folder: string, killAfterMs: number | null = null): Promise<LivedLife> {
  const startedAt = now();
  const saidBefore = saidIn(folder).length;
  const child = startChild("child/life", spec, folder);
  let killedAt: number | null = null;
  const timer = setTimeout(() => {
    // Who hangs is killed too, and nobody tells of it: that passes for no end that was meant.
    if (killAfterMs !== null) killedAt = now();
    child.kill("SIGKILL");
  }, killAfterMs ?? PATIENCE_MS);
  const ended = await child.ended;
  clearTimeout(timer);
  return { entries: entriesOf(spec), ended, startedAt, killedAt, said: saidIn(folder).slice(saidBefore) };
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
  /** How the operating system is to call its end. Default: killed, and that by whoever was to kill it. */
  readonly ended?: Ended;
  readonly isStuck?: boolean;
  readonly hasProblem?: boolean;
}

const KILLED: Ended = { code: null, signal: "SIGKILL" };
/** So much of the beginning and of the end of what it said tells why it ended: between them stand addresses. */
const SHOWN = 300;

/** A process that ends by itself where it was to be killed, has crashed: what it left must not pass for what a kill leaves. */
export function endedOtherwise({ ended, entries, killedAt, said }: LivedLife, expected: Ended): Finding[] {
  const isMeant = ended.code === expected.code && ended.signal === expected.signal;
  const isTold = killedAt !== null || entries.some(({ what }) => what === WHAT.kill);
  if (isMeant && (isTold || ended.signal !== "SIGKILL")) return [];
  const instead = isMeant ? "by nobody who told of it" : `not with ${expected.signal ?? expected.code}`;
  const reason = said.length > 2 * SHOWN ? `${said.slice(0, SHOWN)} … ${said.slice(-SHOWN)}` : said;
  const what = `the process ended with ${ended.signal ?? ended.code}, ${instead}; it said: ${reason.trim() || "nothing"}`;
  return [{ wrong: "crashed", what }];
}

/** Judges a life by the file as it lies there now. */
export async function judgeFile(
  { file, flushEveryMs }: Pick<LifeSpec, "file" | "flushEveryMs">,
  life: LivedLife,
  before: Sums,
  { how, ended = KILLED, isStuck = false, hasProblem = false }: Expected = {},
): Promise<Judged> {
  const folder = mkdtempSync(join(tmpdir(), "judged-"));
  const kept = await readKept(file, join(folder, "stats.db"));
  rmdirSync(folder);
  const { entries, killedAt } = life;
  const judged = judgeLife({ entries, before, kept, flushEveryMs, isStuck, hasProblem, killedAt, how: how ?? null });
  return { ...judged, findings: [...judged.findings, ...endedOtherwise(life, ended)] };
}

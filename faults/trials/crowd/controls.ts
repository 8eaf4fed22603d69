import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LifeSpec } from "../../child/spec.ts";
import { DRIVERS, openWithKey } from "../../oracle/drivers.ts";
import { keptIn } from "../../oracle/kept.ts";
import { readBeginning, readLedger, WHAT } from "../../oracle/ledger.ts";
import { ledgerPath, live } from "../../oracle/life.ts";
import { startChild } from "../../processes.ts";
import type { Control } from "../../trial.ts";
import { judgeCrowd } from "./judge.ts";
import type { MemberSpec } from "./member-spec.ts";
import { blockedTooLong, stallsOf } from "./stalls.ts";

/** The same with a mechanism taken out. */
export async function controls(seed: number, folder: string): Promise<Control[]> {
  return [
    await sameThread(seed, join(folder, "control-thread"), folder),
    await impatient(seed, join(folder, "control-busy"), folder),
    await twoFold(seed, join(folder, "control-fold"), folder),
  ];
}

const memberOf = (own: string, life: number, change: Partial<MemberSpec>): MemberSpec => ({
  file: join(own, "stats.db"),
  ledger: ledgerPath(own, `member-${life}`),
  driver: DRIVERS[0] as MemberSpec["driver"],
  place: "own",
  seed: life,
  life,
  role: "count",
  standIn: false,
  others: [],
  threads: [],
  busyTimeoutMs: 5_000,
  ...change,
});

const HELD_MS = 400;
const HOLDS = 4;

/** Another program holds the database's lock again and again. Of two members, one has the database in its own thread. */
async function sameThread(seed: number, own: string, folder: string): Promise<Control> {
  mkdirSync(own);
  const member = (life: number, change: Partial<MemberSpec>) => memberOf(own, life, { seed: seed + life, ...change });
  const [withIt, without] = [member(0, { place: "own" }), member(1, { place: "same" })];
  const bare = member(2, { role: "bare" });
  const children = [startChild("trials/crowd/bare", bare, folder)];
  for (const each of [withIt, without]) {
    children.push(startChild("trials/crowd/member", each, folder));
    await started(each);
  }
  await whileHeld(withIt.file);
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map(({ ended }) => ended));
  const stalls = (of: MemberSpec) =>
    stallsOf([of, bare].map((each) => ({ member: each, entries: readLedger(each.ledger) })));
  const seen = {
    blockedMs: Math.round(stalls(without).againMs),
    blockedMsWithIt: Math.round(stalls(withIt).againMs),
  };
  return {
    without: "a thread for the database, while another holds its lock",
    bites: blockedTooLong(stalls(without)) !== null && blockedTooLong(stalls(withIt)) === null,
    seen,
  };
}

async function whileHeld(file: string): Promise<void> {
  const holder = openWithKey(file);
  holder.exec("PRAGMA busy_timeout = 10000");
  for (let n = 0; n < HOLDS; n++) {
    holder.exec("BEGIN IMMEDIATE");
    await sleep(HELD_MS);
    holder.exec("ROLLBACK");
    await sleep(HELD_MS / 4);
  }
  holder.close();
}

async function started({ ledger }: MemberSpec): Promise<void> {
  const has = () => {
    try {
      return readBeginning(ledger, 100).some(({ what }) => what === WHAT.started);
    } catch {
      return false;
    }
  };
  for (let tries = 0; !has(); tries++) {
    if (tries > 1_000) throw new Error("a member of the crowd did not start");
    await sleep(20);
  }
}

/** A host that does not wait for other writers hears of them. */
async function impatient(seed: number, own: string, folder: string): Promise<Control> {
  mkdirSync(own);
  const patient = memberOf(own, 0, { seed });
  const hasty = memberOf(own, 1, { seed: seed + 1, place: "host", busyTimeoutMs: 0 });
  const children = [startChild("trials/crowd/member", patient, folder)];
  await started(patient);
  children.push(startChild("trials/crowd/member", hasty, folder));
  await started(hasty);
  await whileHeld(hasty.file);
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map(({ ended }) => ended));
  const { wrongs } = judgeCrowd([{ member: hasty, entries: readLedger(hasty.ledger) }], keptIn(hasty.file));
  return { without: "waiting for other writers", bites: wrongs.busy > 0, seen: { busy: wrongs.busy } };
}

/** Starts that fold what the dead left, and do not mark it. */
async function twoFold(seed: number, own: string, folder: string): Promise<Control> {
  mkdirSync(own);
  const file = join(own, "stats.db");
  for (const [n, sabotage] of [null, "fold without mark" as const, null].entries()) {
    const spec: LifeSpec = {
      file,
      ledger: ledgerPath(own, `life-${n}`),
      driver: DRIVERS[0] as LifeSpec["driver"],
      place: "host",
      flushEveryMs: 5_000,
      seed: seed + n,
      steps: [{ do: "count", ms: 30, users: [1], servers: [1], errors: false }, { do: "flush" }],
      aim: { phase: "saving", nth: 1, delayMs: 20 },
      sabotage,
      migrates: false,
    };
    await live(spec, folder);
  }
  const { wrongs } = judgeCrowd([], keptIn(file));
  return {
    without: "the mark on a session that is folded",
    bites: wrongs.doubled > 0,
    seen: { doubled: wrongs.doubled },
  };
}

/**
 * Judges one life of a process that was killed: by its ledger, by what the database held before, and by what it holds
 * now. Nothing that the library says of itself is believed.
 */

import type { Ending } from "agent-stats";
import { PROBLEMS } from "../child/problems.ts";
import { PHASES, type Phase } from "../child/spec.ts";
import { HEARTBEAT_MS } from "../child/timing.ts";
import type { Kept, KeptAndTold } from "./kept.ts";
import { type Entry, WHAT } from "./ledger.ts";
import { FAILED } from "./names.ts";
import { type Found, findWorld, type Sums, userIn } from "./worlds.ts";

export const WRONGS = [
  "corrupt",
  "doubled",
  "acknowledgedLost",
  "torn",
  "lateLoss",
  "halfDeleted",
  "wronglyTold",
  "crashed",
] as const;
export type WrongOfLife = (typeof WRONGS)[number];

export interface Finding {
  readonly wrong: WrongOfLife;
  readonly what: string;
}

export interface LifeToJudge {
  readonly entries: readonly Entry[];
  readonly before: Sums;
  /** Null where there is no file yet. */
  readonly kept: KeptAndTold | null;
  readonly flushEveryMs: number;
  /** Its main thread was stuck when it was killed: then two intervals may be lost, however late its timers came. */
  readonly isStuck: boolean;
  /** A fault was made on purpose, of which the host is to be told. */
  readonly hasProblem: boolean;
  /** When it was killed, by the ledger's clock, where it could not tell that itself. */
  readonly killedAt: number | null;
  /** How it ended, where that was not by SIGKILL: then it may have lost nothing at all. */
  readonly how: Ending | null;
}

export interface Judged {
  readonly findings: readonly Finding[];
  /** What is kept, from which the next life goes on. */
  readonly sums: Sums;
  /** The innermost thing that it was about when it was killed. */
  readonly landed: Phase | "between";
  /** How long before the kill the oldest count was made that is not kept; 0 where nothing is lost. */
  readonly lossMs: number;
  /** The same of what may be lost for 250 ms only. */
  readonly errorLossMs: number;
  /** How many `add`s the ledger tells of. */
  readonly counts: number;
}

/** Errors are saved after 200 ms; what is left of the 250 ms is for the save itself. */
const ERRORS_WITHIN_MS = 200;
/**
 * A machine that is busy can stall this thread twice: between the entry of a count and the count, so that the time of the
 * entry is too early, and between the moment when a timer is due and its call.
 */
const STALLS = 2;
/** What the database's thread may take to notice that the main thread is stuck, and to save for it, on a busy machine. */
const SAVE_OF_ANOTHER_MS = 100;

export function judgeLife(life: LifeToJudge): Judged {
  const { before, kept } = life;
  // An ending that is not a kill is an acknowledgement of everything.
  const entries = life.how !== null ? [...life.entries, ...goodbye(life.entries)] : life.entries;
  const counts = entries.filter(({ what }) => what === WHAT.add).length;
  const none = { sums: before, landed: landedIn(entries, kept), lossMs: 0, errorLossMs: 0, counts };
  if (kept === null) {
    const isNew = before.size === 0 && !entries.some(({ what }) => what === WHAT.flushed || what === WHAT.started);
    return { ...none, findings: isNew ? [] : [{ wrong: "acknowledgedLost", what: "there is no file any more" }] };
  }
  const findings: Finding[] = kept.damage.map((what) => ({ wrong: "corrupt", what }));
  // What cannot be read says nothing of what was kept in it.
  if (kept.isUnreadable) return { ...none, findings };
  for (const key of kept.foldedTwice) {
    findings.push({ wrong: "doubled", what: `the past of ${key} is not what the folded sessions counted` });
  }
  findings.push(...wronglyTold(entries, kept, life));
  const found = findWorld(entries, before, kept.sums);
  if (!found.ok) {
    return { ...none, findings: [...findings, { wrong: found.wrong, what: found.what }], sums: kept.sums };
  }
  findings.push(...halfDeleted(entries, kept, found));
  const loss = lossOf(entries, found, life);
  findings.push(...lateLoss(loss, life));
  return { ...none, findings, sums: kept.sums, lossMs: loss.all.ms, errorLossMs: loss.errors.ms };
}

function goodbye(entries: readonly Entry[]): Entry[] {
  const at = entries.at(-1)?.at ?? 0;
  const note = (what: Entry["what"]): Entry => ({ what, counter: 0, user: 0, server: 0, amount: 0, at });
  return [note(WHAT.ending), note(WHAT.flushed)];
}

function landedIn(entries: readonly Entry[], kept: Kept | null): Phase | "between" {
  const open: number[] = [];
  for (const { what, amount } of entries) {
    if (what === WHAT.kill) break;
    if (what === WHAT.phase) open.push(amount);
    if (what === WHAT.phaseOver) open.splice(open.lastIndexOf(amount), 1);
  }
  const last = open.at(-1);
  if (last === undefined) return entries.some(({ what }) => what === WHAT.started) ? "between" : "starting";
  const phase = PHASES[last] ?? "between";
  // The library erases within its deletion. That the user is gone and the mark still stands tells how far it was.
  const deleted = entries.findLast(({ what }) => what === WHAT.deleting)?.user;
  const isGone = kept?.erasePending === true && ![...kept.sums.keys()].some((key) => userIn(key) === deleted);
  return phase === "deleting" && isGone ? "erasing" : phase;
}

/** What the library says of it all, to the host while it lived and to whoever looks now, must be so. */
function wronglyTold(entries: readonly Entry[], kept: KeptAndTold, life: LifeToJudge): Finding[] {
  const wrongs: string[] = [];
  for (const { what, amount } of entries) {
    // Nothing was wrong with the machine.
    if (what === WHAT.problem && !life.hasProblem)
      wrongs.push(`a problem was told: ${PROBLEMS[amount] ?? "of another kind"}`);
    if (what === WHAT.rejected) wrongs.push("a call was rejected");
  }
  const { sums, sessions } = kept.told;
  if (sums.size !== kept.sums.size || [...kept.sums].some(([key, value]) => sums.get(key) !== value)) {
    wrongs.push("the sums that are read are not those in the file");
  }
  const id = entries.findLast(({ what }) => what === WHAT.session)?.amount;
  const session = sessions.find((each) => each.session === id);
  const how = life.how ?? "killed";
  const canLoseMs = how === "killed" ? life.flushEveryMs : 0;
  if (id !== undefined && (session?.how !== how || session.canHaveLostMs !== canLoseMs)) {
    wrongs.push(
      `the session is listed as ${session?.how}, with ${session?.canHaveLostMs} ms at risk, not ${how}, ${canLoseMs}`,
    );
  }
  return wrongs.map((what) => ({ wrong: "wronglyTold", what }));
}

/** The host's record of a user and the user's statistics go together or not at all. */
function halfDeleted(entries: readonly Entry[], kept: Kept, { clears }: Found): Finding[] {
  const { hostUsers } = kept;
  if (hostUsers === null) return [];
  const begun = entries.filter(({ what }) => what === WHAT.deleting || what === WHAT.resetting);
  return begun.flatMap(({ what, user, amount }, index): Finding[] => {
    if (what !== WHAT.deleting || amount === 0) return [];
    const hasCounts = [...kept.sums.keys()].some((key) => userIn(key) === user);
    const isRecorded = hostUsers.has(user);
    if (hasCounts && !isRecorded)
      return [{ wrong: "halfDeleted", what: `user ${user} is gone and its counts are not` }];
    return isRecorded && index < clears && hasSaved(entries, user)
      ? [{ wrong: "halfDeleted", what: `the counts of user ${user} are gone and its record is not` }]
      : [];
  });
}

/** Whether something of the user was acknowledged, so that its absence proves a deletion. */
function hasSaved(entries: readonly Entry[], user: number): boolean {
  const flushed = entries.findLastIndex(({ what }) => what === WHAT.flushed);
  const asked = entries.slice(0, Math.max(0, flushed)).findLastIndex(({ what }) => what === WHAT.flush);
  return entries.slice(0, Math.max(0, asked)).some((entry) => entry.what === WHAT.add && entry.user === user);
}

interface Loss {
  /** How long before the kill the oldest lost count was made. */
  readonly ms: number;
  /** Of that, how long the store was at work, so that no save could begin; and how late timers came. */
  readonly excusedMs: number;
}

function lossOf(
  entries: readonly Entry[],
  found: Found,
  { killedAt, isStuck }: LifeToJudge,
): { all: Loss; errors: Loss } {
  const kill = entries.find(({ what }) => what === WHAT.kill);
  const end = killedAt ?? kill?.at ?? entries.at(-1)?.at ?? 0;
  const lastClear = entries.findLastIndex(({ what }) => what === WHAT.resetting);
  const deleted = new Set(entries.filter(({ what }) => what === WHAT.deleting).map(({ user }) => user));
  const lost = entries.filter(
    ({ what, user }, index) => what === WHAT.add && index >= Math.max(found.entries, lastClear) && !deleted.has(user),
  );
  // The heart of a thread that is stuck does not beat, and that excuses nothing.
  const stopped = isStuck ? SAVE_OF_ANOTHER_MS : Math.max(0, (kill?.amount ?? 0) - HEARTBEAT_MS);
  // Nor can it say that a save is over which had begun before.
  const told = entries.find(({ what }) => what === WHAT.hang)?.at ?? end;
  const loss = (first: Entry | undefined): Loss => {
    if (first === undefined) return { ms: 0, excusedMs: 0 };
    const late = Math.max(stopped, latestMs(entries, first.at));
    return { ms: end - first.at, excusedMs: busyMs(entries, first.at, told) + STALLS * (late + HEARTBEAT_MS) };
  };
  return { all: loss(lost[0]), errors: loss(lost.find(({ counter }) => counter === FAILED)) };
}

/** How late a timer came at most from that moment on: a stall that was over by then has lost nothing. */
function latestMs(entries: readonly Entry[], from: number): number {
  const stalls = entries.filter(({ what, at }) => what === WHAT.late && at >= from);
  return stalls.reduce((most, { amount }) => Math.max(most, amount), 0);
}

function lateLoss({ all, errors }: ReturnType<typeof lossOf>, { flushEveryMs, isStuck, how }: LifeToJudge): Finding[] {
  const intervals = isStuck ? 2 : 1;
  const tooOld = ({ ms, excusedMs }: Loss, within: number, what: string): Finding[] =>
    ms <= (how !== null ? 0 : within + excusedMs)
      ? []
      : [
          {
            wrong: "lateLoss",
            what: `${what} made ${ms.toFixed(0)} ms before is lost: ${within} ms and ${excusedMs.toFixed(0)} ms were allowed`,
          },
        ];
  return [
    ...tooOld(all, intervals * flushEveryMs, "a count"),
    ...tooOld(errors, intervals * Math.min(ERRORS_WITHIN_MS, flushEveryMs), "an error's count"),
  ];
}

const STORE_PHASES: ReadonlySet<Phase> = new Set([
  "saving",
  "folding",
  "deleting",
  "resetting",
  "erasing",
  "beginning",
  "migrating",
]);

/** How long the store was at work between two moments. */
function busyMs(entries: readonly Entry[], from: number, until: number): number {
  const since = new Map<number, number>();
  let busy = 0;
  const overlap = (begin: number, end: number) => Math.max(0, Math.min(end, until) - Math.max(begin, from));
  for (const { what, amount, at } of entries) {
    if (what === WHAT.phase && STORE_PHASES.has(PHASES[amount] as Phase)) since.set(amount, at);
    const begun = since.get(amount);
    if (what === WHAT.phaseOver && begun !== undefined) {
      busy += overlap(begun, at);
      since.delete(amount);
    }
  }
  for (const begun of since.values()) busy += overlap(begun, until);
  return busy;
}

import { PROBLEMS } from "../../child/problems.ts";
import type { Kept } from "../../oracle/kept.ts";
import { type Entry, WHAT } from "../../oracle/ledger.ts";
import { findWorld, type Sums, serverIn, userIn, type Wrong } from "../../oracle/worlds.ts";
import { isDoomed, type MemberSpec, resetServerOfLife, serverOfLife } from "./member-spec.ts";

export interface LedgerOfMember {
  readonly member: Pick<MemberSpec, "life" | "role">;
  readonly entries: readonly Entry[];
}

export interface JudgedCrowd {
  readonly findings: readonly string[];
  readonly wrongs: Readonly<Record<Wrong | "corrupt" | "broughtBack" | "busy", number>>;
  readonly counts: number;
  /** How often someone looked, and found nothing that cannot be. */
  readonly looks: number;
  readonly deletions: number;
  readonly resets: number;
  /** The longest that an event loop was blocked: of those who keep statistics, and of a process without the library. */
  readonly blockedMs: number;
  readonly bareBlockedMs: number;
}

/**
 * Each life counts servers of its own, so that what became of each is told exactly, whatever the others did meanwhile.
 * A user who may be deleted by anybody is there or not: after a deletion, nothing of that user may be left.
 */
export function judgeCrowd(ledgers: readonly LedgerOfMember[], kept: Kept): JudgedCrowd {
  const findings: string[] = [];
  const wrongs = { acknowledgedLost: 0, doubled: 0, torn: 0, corrupt: 0, broughtBack: 0, busy: 0 };
  const see = (wrong: keyof typeof wrongs, what: string) => {
    wrongs[wrong] += 1;
    findings.push(`${wrong}: ${what}`);
  };
  for (const what of kept.damage) see("corrupt", what);
  for (const key of kept.foldedTwice) see("doubled", `the past of ${key} is not what the folded sessions counted`);
  for (const { session, folded, ended } of kept.sessions) {
    if (!folded && ended === null) see("acknowledgedLost", `session ${session} was not folded by the next start`);
  }
  for (const { member, entries } of ledgers) {
    if (member.role !== "count") continue;
    const lasting = entries.filter(
      ({ what, user }) => (what !== WHAT.add && what !== WHAT.deleting) || !isDoomed(user),
    );
    const found = findWorld(
      lasting.filter(({ what }) => what !== WHAT.deleted),
      NOTHING,
      ofLife(kept.sums, member.life),
    );
    if (!found.ok) see(found.wrong, `life ${member.life}: ${found.what}`);
  }
  const all = ledgers.flatMap(({ entries }) => entries);
  const deleted = new Set(all.filter(({ what }) => what === WHAT.deleting).map(({ user }) => user));
  for (const key of kept.sums.keys()) {
    if (deleted.has(userIn(key))) see("broughtBack", `user ${userIn(key)} was deleted and has counts`);
  }
  for (const { what, amount } of all) {
    if (what === WHAT.sawWrong) see("torn", "someone saw sums that shrank, or were of two moments");
    if (what === WHAT.rejected || what === WHAT.problem)
      see("busy", `the host was told: ${PROBLEMS[amount] ?? "of another kind"}`);
  }
  return { findings, wrongs, ...measured(ledgers, all) };
}

const NOTHING: Sums = new Map();

function ofLife(sums: Sums, life: number): Sums {
  const servers = [serverOfLife(life), resetServerOfLife(life)];
  return new Map([...sums].filter(([key]) => servers.includes(serverIn(key)) && !isDoomed(userIn(key))));
}

function measured(ledgers: readonly LedgerOfMember[], all: readonly Entry[]) {
  const times = (wanted: Entry["what"]) => all.reduce((sum, { what }) => sum + (what === wanted ? 1 : 0), 0);
  const longest = (isBare: boolean) =>
    ledgers
      .filter(({ member }) => (member.role === "bare") === isBare)
      .flatMap(({ entries }) => entries)
      .reduce((most, { what, amount }) => (what === WHAT.blocked ? Math.max(most, amount) : most), 0);
  return {
    counts: times(WHAT.add),
    looks: times(WHAT.looked),
    deletions: times(WHAT.deleted),
    resets: times(WHAT.reset),
    blockedMs: longest(false),
    bareBlockedMs: longest(true),
  };
}

import { PROBLEMS } from "../../child/problems.ts";
import type { Kept } from "../../oracle/kept.ts";
import { type Entry, WHAT } from "../../oracle/ledger.ts";
import { findWorld, type Sums, serverIn, userIn, type Wrong } from "../../oracle/worlds.ts";
import { COUNTS_A_BATCH, type MemberSpec, resetServerOfLife, serverOfLife } from "./member-spec.ts";
import { type Stalls, stallsOf } from "./stalls.ts";

export interface LedgerOfMember {
  readonly member: Pick<MemberSpec, "life" | "role" | "standIn">;
  readonly entries: readonly Entry[];
}

export interface JudgedCrowd {
  readonly findings: readonly string[];
  readonly wrongs: Readonly<Record<Wrong | "corrupt" | "broughtBack" | "busy" | "leaked" | "broke", number>>;
  /** Calls of `add` whose sums were judged: of users whom nobody asked to delete, and that were surely made. */
  readonly counts: number;
  /** How often someone looked, and found nothing that cannot be. */
  readonly looks: number;
  readonly deletions: number;
  readonly resets: number;
  readonly stalls: Stalls;
}

/**
 * Each life counts servers of its own, so that what became of each is told exactly, whatever the others did meanwhile.
 * A user who may be deleted by anybody is there like all others as long as nobody asked for that; from then on nothing
 * of that user may be left in the end. `ended` tells of processes that ended without having been killed.
 */
export function judgeCrowd(ledgers: readonly LedgerOfMember[], kept: Kept, ended: readonly string[] = []): JudgedCrowd {
  const findings: string[] = [];
  const wrongs = { acknowledgedLost: 0, doubled: 0, torn: 0, corrupt: 0, broughtBack: 0, busy: 0, leaked: 0, broke: 0 };
  const see = (wrong: keyof typeof wrongs, what: string) => {
    wrongs[wrong] += 1;
    findings.push(`${wrong}: ${what}`);
  };
  for (const what of ended) see("broke", what);
  for (const what of kept.damage) see("corrupt", what);
  for (const key of kept.foldedTwice) see("doubled", `the past of ${key} is not what the folded sessions counted`);
  for (const { session, folded, ended } of kept.sessions) {
    if (!folded && ended === null) see("acknowledgedLost", `session ${session} was not folded by the next start`);
  }
  const all = ledgers.flatMap(({ entries }) => entries);
  const deleted = new Set(all.filter(({ what }) => what === WHAT.deleting).map(({ user }) => user));
  const counting = ledgers.filter(({ member }) => member.role === "count");
  for (const { member, entries } of counting) {
    const lasting = entries.filter(({ user }) => !deleted.has(user));
    const found = worldOf(member, lasting, ofLife(kept.sums, member.life, deleted));
    if (!found.ok) see(found.wrong, `life ${member.life}: ${found.what}`);
  }
  for (const key of kept.sums.keys()) {
    if (deleted.has(userIn(key))) see("broughtBack", `user ${userIn(key)} was deleted and has counts`);
  }
  for (const { what, amount } of all) {
    if (what === WHAT.sawWrong) see("torn", "someone saw sums that shrank, or were of two moments");
    if (what === WHAT.rejected || what === WHAT.problem)
      see("busy", `the host was told: ${PROBLEMS[amount] ?? "of another kind"}`);
    if (what === WHAT.leaked) see("leaked", "an error that reached the host tells a secret");
    if (what === WHAT.broke) see("broke", "a member of the crowd ended by itself");
  }
  const times = (wanted: Entry["what"]) => all.reduce((sum, { what }) => sum + (what === wanted ? 1 : 0), 0);
  return {
    findings,
    wrongs,
    counts: counting.reduce((sum, { entries }) => sum + countsIn(entries, deleted), 0),
    looks: times(WHAT.looked),
    deletions: times(WHAT.deleted),
    resets: times(WHAT.reset),
    stalls: stallsOf(ledgers),
  };
}

const NOTHING: Sums = new Map();

/**
 * All numbers of one moment; or where the database's thread may have saved for one that went on counting meanwhile, as
 * it does when that one is late, each row of a moment of its own.
 */
function worldOf(
  { standIn }: Pick<MemberSpec, "standIn">,
  entries: readonly Entry[],
  kept: Sums,
): ReturnType<typeof findWorld> {
  const found = findWorld(entries, NOTHING, kept);
  if (found.ok || found.wrong !== "torn" || !standIn) return found;
  const rowOf = (user: number, server: number) => `${user} ${server}`;
  const rowIn = (key: string) => rowOf(userIn(key), serverIn(key));
  const adds = entries.filter(({ what }) => what === WHAT.add);
  const rows = new Set([...[...kept.keys()].map(rowIn), ...adds.map(({ user, server }) => rowOf(user, server))]);
  const alone = [...rows].map((row) =>
    findWorld(
      entries.filter(({ what, user, server }) => what !== WHAT.add || rowOf(user, server) === row),
      NOTHING,
      new Map([...kept].filter(([key]) => rowIn(key) === row)),
    ),
  );
  return alone.find(({ ok }) => !ok) ?? (alone[0] as ReturnType<typeof findWorld>);
}

function ofLife(sums: Sums, life: number, deleted: ReadonlySet<number>): Sums {
  const servers = [serverOfLife(life), resetServerOfLife(life)];
  return new Map([...sums].filter(([key]) => servers.includes(serverIn(key)) && !deleted.has(userIn(key))));
}

/** A batch is told before it is counted: of the last one nobody knows how far it came. */
function countsIn(entries: readonly Entry[], deleted: ReadonlySet<number>): number {
  const adds = entries.filter(({ what }) => what === WHAT.add).slice(0, -COUNTS_A_BATCH);
  return adds.filter(({ user }) => !deleted.has(user)).length;
}

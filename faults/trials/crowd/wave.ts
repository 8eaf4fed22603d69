import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DriverName } from "agent-stats/sqlcipher";
import { DRIVERS } from "../../oracle/drivers.ts";
import { keptIn } from "../../oracle/kept.ts";
import { ENTRY_BYTES, type Entry, readBeginning, readLedger, WHAT } from "../../oracle/ledger.ts";
import { ledgerPath } from "../../oracle/life.ts";
import { type Child, startChild } from "../../processes.ts";
import { type Random, randomOf } from "../../random.ts";
import { type JudgedCrowd, judgeCrowd } from "./judge.ts";
import type { MemberSpec } from "./member-spec.ts";

export interface WaveOf {
  readonly seed: number;
  /** How many processes are killed before it is over. */
  readonly kills: number;
  readonly folder: string;
  killed(): void;
}

/** A process of the wave, its members' ledgers, and when it is to die. */
interface Slot {
  readonly child: Child;
  readonly members: readonly MemberSpec[];
}

/** Most are killed when they have counted so much, however long a busy machine takes for it; some at any time. */
const MOST_ENTRIES = 40_000;
const AT_ANY_TIME_PERCENT = 25;
const LIFETIME_MS = [100, 1_500] as const;
const LONGEST_LIFE_MS = 6_000;
const LARGEST_CROWD = 8;
const PROCESSES = [2, 4] as const;

/** Many members use one file at once; their processes are killed at random, and others take their places. */
export async function wave({ seed, kills, folder, killed }: WaveOf): Promise<JudgedCrowd> {
  const random = randomOf(seed);
  const own = mkdtempSync(join(folder, "wave-"));
  const file = join(own, "stats.db");
  const crew = crewOf({ file, own, folder, random });
  const reader = crew.join("read", 0);
  let left = kills;
  const lifeOf = async (slot: Slot) => {
    if (random.percent(AT_ANY_TIME_PERCENT)) await sleep(random.whole(...LIFETIME_MS));
    else await counted(slot, random.whole(0, MOST_ENTRIES));
    slot.child.kill("SIGKILL");
    await slot.child.ended;
  };
  const slots = random.whole(...PROCESSES);
  const mostThreads = Math.floor((LARGEST_CROWD - 1) / slots) - 1;
  const counting = Array.from({ length: slots }, async () => {
    while (left-- > 0) {
      await lifeOf(crew.join("count", mostThreads));
      killed();
    }
  });
  // As many threads, as often begun anew: only without the library.
  const bare = async () => {
    do await lifeOf(crew.join("bare", mostThreads));
    while (left > 0);
  };
  await Promise.all([...counting, bare()]);
  reader.child.kill("SIGKILL");
  await reader.child.ended;
  const ledgers = crew.members.map((member) => ({
    member,
    // Of the work itself, which is all but a few of its entries, nothing is judged where the library had no part in it.
    entries: existsSync(member.ledger) ? readLedger(member.ledger, member.role === "bare" ? WHAT.phase : null) : [],
  }));
  await tidyUp(file, folder, own, ledgers);
  const judged = judgeCrowd(ledgers, keptIn(file));
  rmSync(join(own, "ledgers"), { recursive: true });
  return judged;
}

/** Starts members, and remembers them all. */
function crewOf({ file, own, folder, random }: { file: string; own: string; folder: string; random: Random }) {
  const members: MemberSpec[] = [];
  const alive = new Set<Slot>();
  const made = (role: MemberSpec["role"], driver: DriverName, threads: readonly MemberSpec[]): MemberSpec => {
    const life = members.length;
    const member: MemberSpec = {
      file,
      ledger: ledgerPath(own, `member-${life}`),
      driver,
      place: "own",
      seed: random.whole(0, 2 ** 31),
      life,
      role,
      // Of those whose session has begun: they hear of a deletion, while one that has yet to begin would count anew.
      others: [...alive].flatMap((slot) => slot.members.filter(hasStarted).map((other) => other.life)),
      threads,
      busyTimeoutMs: 5_000,
    };
    members.push(member);
    return member;
  };
  const start = (member: MemberSpec): Slot => {
    const child = startChild(`trials/crowd/${member.role === "bare" ? "bare" : "member"}`, member, folder);
    const slot = { child, members: [member, ...member.threads] };
    alive.add(slot);
    void child.ended.then(() => alive.delete(slot));
    return slot;
  };
  return {
    members,
    join(role: MemberSpec["role"], mostThreads: number) {
      // One for all threads of a process: each driver brings a SQLite of its own, and two of them in one process undo each
      // other's locks on the file they share, as closing it in one frees what the other holds.
      const driver = random.pick(DRIVERS);
      const threads = Array.from({ length: random.whole(0, Math.max(0, mostThreads)) }, () => made(role, driver, []));
      return start(made(role, driver, threads));
    },
  };
}

/** More than a member notes before it counts. */
const NOTES_BEFORE_COUNTING = 100;

/** Until the first member of the process has written so many entries. */
async function counted({ members: [first] }: Slot, entries: number): Promise<void> {
  const due = performance.now() + LONGEST_LIFE_MS;
  const size = () => (first && existsSync(first.ledger) ? statSync(first.ledger).size / ENTRY_BYTES : 0);
  while (size() < entries && performance.now() < due) await sleep(5);
}

function hasStarted({ ledger }: MemberSpec): boolean {
  return existsSync(ledger) && readBeginning(ledger, NOTES_BEFORE_COUNTING).some(({ what }) => what === WHAT.started);
}

/** The next start folds what the crowd left; deletions that nobody acknowledged are asked for again. */
async function tidyUp(
  file: string,
  folder: string,
  own: string,
  ledgers: readonly { readonly entries: readonly Entry[] }[],
): Promise<void> {
  const all = ledgers.flatMap(({ entries }) => entries);
  const usersOf = (wanted: Entry["what"]) => new Set(all.filter(({ what }) => what === wanted).map(({ user }) => user));
  const acknowledged = usersOf(WHAT.deleted);
  const users = [...usersOf(WHAT.deleting)].filter((user) => !acknowledged.has(user));
  const spec = {
    file,
    ledger: ledgerPath(own, "last"),
    driver: DRIVERS[0],
    place: "own",
    flushEveryMs: 5_000,
    seed: 0,
    steps: [...users.map((user) => ({ do: "delete", user, within: false })), { do: "close" }],
    aim: null,
    sabotage: null,
    migrates: false,
  };
  const { code } = await startChild("child/life", spec, folder).ended;
  if (code !== 0) throw new Error(`the start after the crowd ended with ${code}`);
}

import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { removeSearched } from "../../oracle/canary.ts";
import { DRIVERS } from "../../oracle/drivers.ts";
import { keptIn } from "../../oracle/kept.ts";
import { ENTRY_BYTES, type Entry, readBeginning, readLedger, WHAT, type What } from "../../oracle/ledger.ts";
import { ledgerPath } from "../../oracle/life.ts";
import { saidIn } from "../../outputs.ts";
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

export interface JudgedWave extends JudgedCrowd {
  /** How many processes and threads used the library at one moment. */
  readonly atOnce: number;
}

/** A process of the wave, with its members. */
interface Slot {
  readonly child: Child;
  readonly members: readonly MemberSpec[];
  /** All that it says is kept there. */
  readonly folder: string;
  isOver: boolean;
}

/** Most are killed when they have counted so much, however long a busy machine takes for it; some at any time. */
const MOST_ENTRIES = 16_000;
const AT_ANY_TIME_PERCENT = 25;
const LIFETIME_MS = [100, 1_500] as const;
const LONGEST_LIFE_MS = 20_000;
const PATIENCE_MS = 60_000;
/** How many processes and threads use the library at once. */
export const CROWD = [3, 8] as const;
/** More threads in one process would cost more than they show: each of them loads the library anew. */
const MOST_THREADS = 2;

/** Many members use one file at once; their processes are killed at random, and others take their places. */
export async function wave({ seed, kills, folder, killed }: WaveOf): Promise<JudgedWave> {
  const random = randomOf(seed);
  const own = mkdtempSync(join(folder, "wave-"));
  const ledgersIn = mkdtempSync(join(tmpdir(), "wave-"));
  const file = join(own, "stats.db");
  const crew = crewOf({ file, own, ledgersIn });
  try {
    const { ended, atOnce } = await live(crew, { kills, killed, random, seed });
    const ledgers = crew.members.map((member) => ({
      member,
      entries: existsSync(member.ledger) ? readLedger(member.ledger) : [],
    }));
    await tidyUp(file, own, ledgersIn, ledgers);
    const judged = judgeCrowd(ledgers, keptIn(file), ended);
    removeSearched(own);
    return { ...judged, atOnce };
  } finally {
    await crew.endAll();
    rmSync(ledgersIn, { recursive: true });
  }
}

type Crew = ReturnType<typeof crewOf>;
type Lives = Pick<WaveOf, "seed" | "kills" | "killed"> & { readonly random: Random };

/** Lets the crowd live, and tells which processes ended by themselves, and how many members were at work at once. */
async function live(crew: Crew, { seed, kills, killed, random }: Lives): Promise<{ ended: string[]; atOnce: number }> {
  const shares = sharesOf(seed, random);
  const ended: string[] = [];
  const end = async (slot: Slot) => {
    const how = await crew.kill(slot);
    if (how !== null) ended.push(how);
    else if (slot.members[0]?.role === "count") killed();
  };
  // What a life draws does not depend on which of the others comes when.
  const seeds = shares.map(() => random.whole(0, 2 ** 31));
  const begin = (place: number, n: number) => {
    const draw = randomOf((seeds[place] as number) + n);
    return { draw, slot: crew.join("count", shares[place] as number, draw) };
  };
  // For as long as the wave lasts: one who looks on, and what the machine does to anybody.
  const beside = (["read", "bare"] as const).map((role) => crew.join(role, 1, randomOf(random.whole(0, 2 ** 31))));
  const first = shares.map((_, place) => begin(place, 0));
  // Once the whole crowd is at work at one moment; from then on its members come and go.
  const atOnce = await crew.complete();
  let left = kills - first.length;
  const counting = first.map(async (life, place) => {
    for (let n = 1, { draw, slot } = life; ; { draw, slot } = begin(place, n++)) {
      if (draw.percent(AT_ANY_TIME_PERCENT)) await sleep(draw.whole(...LIFETIME_MS));
      else await counted(slot, draw.whole(0, MOST_ENTRIES));
      await end(slot);
      if (left-- <= 0) return;
    }
  });
  await Promise.all(counting);
  await Promise.all(beside.map(end));
  return { ended, atOnce };
}

/** How many members each process has that counts. Beside them one reads: each size of crowd as often as any other. */
function sharesOf(seed: number, random: Random): number[] {
  const [least, most] = CROWD;
  const counting = least + (seed % (most - least + 1)) - 1;
  const processes = random.whole(Math.max(2, Math.ceil(counting / MOST_THREADS)), counting);
  return Array.from({ length: processes }, (_, n) => Math.ceil((counting - n) / processes));
}

/** Starts members, remembers them all, and ends them. */
function crewOf({ file, own, ledgersIn }: { file: string; own: string; ledgersIn: string }) {
  const members: MemberSpec[] = [];
  const alive = new Set<Slot>();
  const made = (given: Pick<MemberSpec, "role" | "driver" | "seed" | "standIn" | "threads">): MemberSpec => {
    const life = members.length;
    const member: MemberSpec = {
      ...given,
      file,
      // In memory, where there is a place for that: a disk that lets its writer wait must not look like the library.
      ledger: ledgerPath(ledgersIn, `member-${life}`),
      place: "own",
      life,
      // Of those whose session has begun: they hear of a deletion, while one that has yet to begin would count anew.
      others: [...alive].flatMap((slot) => slot.members.filter(hasStarted).map((other) => other.life)),
      busyTimeoutMs: 5_000,
    };
    members.push(member);
    return member;
  };
  const start = (member: MemberSpec): Slot => {
    const folder = join(own, `process-${member.life}`);
    const child = startChild(`trials/crowd/${member.role === "bare" ? "bare" : "member"}`, member, folder);
    const slot: Slot = { child, members: [member, ...member.threads], folder, isOver: false };
    alive.add(slot);
    void child.ended.then(() => {
      slot.isOver = true;
      alive.delete(slot);
    });
    return slot;
  };
  const kill = async (slot: Slot): Promise<string | null> => {
    const wasOver = slot.isOver;
    slot.child.kill("SIGKILL");
    const { code, signal } = await slot.child.ended;
    if (!wasOver && signal === "SIGKILL") return null;
    return `a process of the crowd ended by itself, by ${signal ?? `code ${code}`}: ${endOf(slot.folder)}`;
  };
  return {
    members,
    /** A process with so many members. */
    join(role: MemberSpec["role"], size: number, random: Random): Slot {
      // One for all threads of a process: each driver brings a SQLite of its own, and two of them in one process undo each
      // other's locks on the file they share, as closing it in one frees what the other holds.
      const driver = random.pick(DRIVERS);
      const drawn = () => ({ role, driver, seed: random.whole(0, 2 ** 31), standIn: random.percent(50) });
      const threads = Array.from({ length: size - 1 }, () => made({ ...drawn(), threads: [] }));
      return start(made({ ...drawn(), threads }));
    },
    /**
     * Waits until all are at work, and tells how many use the library then.
     *
     * @throws Error where a member that has joined is not at work after a time in which any would be
     */
    async complete(): Promise<number> {
      const due = performance.now() + PATIENCE_MS;
      const all = () => [...alive].flatMap((slot) => slot.members).filter(({ role }) => role !== "bare");
      while (!all().every(isAtWork)) {
        if (performance.now() > due) throw new Error("a member of the crowd did not come to work");
        await sleep(20);
      }
      return all().length;
    },
    /** @returns what is wrong where it was not this that ended it */
    kill,
    async endAll(): Promise<void> {
      await Promise.all([...alive].map(kill));
    },
  };
}

/** An error with its stack. */
const MOST_SAID = 2_000;

/** The last that a process said. */
const endOf = (folder: string) => saidIn(folder).trim().slice(-MOST_SAID);

/** More than a member notes before it counts. */
const NOTES_BEFORE_COUNTING = 100;

/** Until the first member of the process has written so many entries. */
async function counted(slot: Slot, entries: number): Promise<void> {
  const due = performance.now() + LONGEST_LIFE_MS;
  const [first] = slot.members;
  const size = () => (first && existsSync(first.ledger) ? statSync(first.ledger).size / ENTRY_BYTES : 0);
  while (size() < entries && performance.now() < due && !slot.isOver) await sleep(5);
}

const hasStarted = (member: MemberSpec) => hasBegun(member, WHAT.started);
const isAtWork = (member: MemberSpec) => hasBegun(member, member.role === "read" ? WHAT.looked : WHAT.started);

function hasBegun({ ledger }: MemberSpec, wanted: What): boolean {
  return existsSync(ledger) && readBeginning(ledger, NOTES_BEFORE_COUNTING).some(({ what }) => what === wanted);
}

/** The next start folds what the crowd left; deletions that nobody acknowledged are asked for again. */
async function tidyUp(
  file: string,
  own: string,
  ledgersIn: string,
  ledgers: readonly { readonly entries: readonly Entry[] }[],
): Promise<void> {
  const all = ledgers.flatMap(({ entries }) => entries);
  const usersOf = (wanted: Entry["what"]) => new Set(all.filter(({ what }) => what === wanted).map(({ user }) => user));
  const acknowledged = usersOf(WHAT.deleted);
  const users = [...usersOf(WHAT.deleting)].filter((user) => !acknowledged.has(user));
  const spec = {
    file,
    ledger: ledgerPath(ledgersIn, "last"),
    driver: DRIVERS[0],
    place: "own",
    flushEveryMs: 5_000,
    seed: 0,
    steps: [...users.map((user) => ({ do: "delete", user, within: false })), { do: "close" }],
    aim: null,
    sabotage: null,
    migrates: false,
  };
  const folder = join(own, "last");
  const { code } = await startChild("child/life", spec, folder).ended;
  if (code !== 0) throw new Error(`the start after the crowd ended with ${code}: ${endOf(folder)}`);
}

/**
 * What a database may hold after a process counted into it and died: every moment at which the last save can have been,
 * with every deletion and reset done or not, as far as nothing was acknowledged. What it does hold must be one of these
 * worlds, exactly, in all its numbers at once.
 */
import { ALL, type Entry, WHAT } from "./ledger.ts";

/** `user server counter`, all as numbers. */
export type KeyOfCount = string;
export const keyOfCount = (user: number, server: number, counter: number): KeyOfCount => `${user} ${server} ${counter}`;
export const userIn = (key: KeyOfCount) => Number(key.split(" ")[0]);
export const serverIn = (key: KeyOfCount) => Number(key.split(" ")[1]);

export type Sums = ReadonlyMap<KeyOfCount, number>;

/** The world that was found: the last entry whose counts are kept, and how many deletions and resets happened. */
export interface Found {
  readonly ok: true;
  /** How many entries of the ledger are kept: everything before is there, nothing after. */
  readonly entries: number;
  readonly clears: number;
  readonly sums: Sums;
}

export type Wrong = "acknowledgedLost" | "doubled" | "torn";

export interface NoSuchWorld {
  readonly ok: false;
  readonly wrong: Wrong;
  readonly what: string;
}

/** Finds the world that the database holds, given what it held before the process began. */
export function findWorld(entries: readonly Entry[], before: Sums, kept: Sums): Found | NoSuchWorld {
  const { saved, cleared, begun } = acknowledged(entries);
  const failures: NoSuchWorld[] = [];
  for (let clears = begun; clears >= cleared; clears--) {
    const found = cutOf(tracksOf(entries, before, clears), kept, saved, entries.length);
    if (found.ok) return { ...found, clears, sums: kept };
    failures.push(found);
  }
  // Where several worlds are possible, the one in which most had happened is as good as any to say what is wrong.
  return failures[0] as NoSuchWorld;
}

/** How far the library has given its word: entries that must be kept, clears that must be done; and clears begun. */
function acknowledged(entries: readonly Entry[]): { saved: number; cleared: number; begun: number } {
  let saved = 0;
  let asked = 0;
  let cleared = 0;
  let begun = 0;
  for (const [index, { what }] of entries.entries()) {
    if (what === WHAT.flush || what === WHAT.closing || what === WHAT.ending) asked = index;
    if (what === WHAT.flushed || what === WHAT.closed) saved = asked;
    if (what === WHAT.deleting || what === WHAT.resetting) begun += 1;
    if (what === WHAT.deleted || what === WHAT.reset) cleared = begun;
  }
  return { saved, cleared, begun };
}

/** The steps that one number takes as more of the ledger is kept. */
type Track = { from: number; value: number }[];

/** What each number would be with the entries up to each point kept, when so many clears are done. */
function tracksOf(entries: readonly Entry[], before: Sums, clears: number): Map<KeyOfCount, Track> {
  const tracks = new Map<KeyOfCount, Track>([...before].map(([key, value]) => [key, [{ from: 0, value }]]));
  const forgotten = new Set<number>();
  let done = 0;
  for (const [index, { what, user, server, counter, amount }] of entries.entries()) {
    // Counts of a user whose deletion has begun go nowhere, also when it is never finished.
    if (what === WHAT.add && !forgotten.has(user)) {
      const key = keyOfCount(user, server, counter);
      const track = tracks.get(key) ?? [{ from: 0, value: 0 }];
      tracks.set(key, track);
      track.push({ from: index + 1, value: (track.at(-1)?.value ?? 0) + amount });
    }
    if (what === WHAT.deleting) forgotten.add(user);
    if ((what === WHAT.deleting || what === WHAT.resetting) && done < clears) {
      done += 1;
      // It is gone whether or not it had been saved; what is counted later begins from zero.
      for (const [key] of tracks) if (covers(user, server, key)) tracks.set(key, [{ from: 0, value: 0 }]);
    }
  }
  return tracks;
}

function covers(user: number, server: number, key: KeyOfCount): boolean {
  return (user === ALL || userIn(key) === user) && (server === ALL || serverIn(key) === server);
}

/** The latest moment at which all numbers were what they are, no earlier than what was acknowledged. */
function cutOf(tracks: ReadonlyMap<KeyOfCount, Track>, kept: Sums, saved: number, length: number) {
  let low = saved;
  let high = Number.POSITIVE_INFINITY;
  for (const key of new Set([...tracks.keys(), ...kept.keys()])) {
    const track = tracks.get(key) ?? [{ from: 0, value: 0 }];
    const value = kept.get(key) ?? 0;
    const step = track.findLastIndex((each) => each.value <= value);
    const [from, until] = [track[step]?.from ?? 0, track[step + 1]?.from ?? Number.POSITIVE_INFINITY];
    const most = track.at(-1)?.value ?? 0;
    if (value > most) return wrong("doubled", `${value} of ${key} are kept, and ${most} were counted`);
    if (until <= saved) {
      const least = track.findLast((each) => each.from <= saved)?.value ?? 0;
      return wrong("acknowledgedLost", `${value} of ${key} are kept, and ${least} were acknowledged`);
    }
    if (track[step]?.value !== value) return wrong("torn", `${value} of ${key} are kept: it was never that`);
    low = Math.max(low, from);
    high = Math.min(high, until - 1);
    if (low > high) return wrong("torn", `${key} is of another moment than the other numbers`);
  }
  // Nothing more was counted: then all of it is kept.
  return { ok: true as const, entries: high === Number.POSITIVE_INFINITY ? length : high };
}

function wrong(kind: Wrong, what: string): NoSuchWorld {
  return { ok: false, wrong: kind, what };
}

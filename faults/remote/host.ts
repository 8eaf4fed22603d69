/** What trials tell a host (`host.child.ts`), and what it tells them. */
import type { SessionWithCounts, TimelineEntry } from "agent-stats";
import type { DriverName } from "agent-stats/sqlcipher";
import type { COUNTERS } from "../oracle/names.ts";
import { type Remote, startRemote } from "./remote.ts";
import type { Mechanism } from "./without.ts";

export interface Where {
  readonly file: string;
  readonly driver?: DriverName;
  readonly thread?: "worker" | "same";
  /** 64 hex digits. Default: the campaign's. */
  readonly key?: string;
  /** What the library that keeps there is to do without. */
  readonly without?: Mechanism;
}

export interface HostOptions {
  readonly where: Where;
  readonly flushEvery: number;
  readonly keepHistory?: number;
}

export interface Count {
  readonly userId: string;
  readonly server: string;
  readonly counter: (typeof COUNTERS)[number];
  readonly n: number;
}

/** Null where it went well; else the code of the library's error. */
export interface Outcome {
  readonly code: string | null;
}

/** Sums by {@link nameOfSum}. */
export type Sums = ReadonlyMap<string, number>;

/** All that can be read out of a file. */
export interface Reading {
  readonly sums: Sums;
  readonly sessions: readonly Pick<
    SessionWithCounts,
    "session" | "started" | "lastSaved" | "ended" | "canHaveLostMs" | "servers"
  >[];
  readonly hours: readonly TimelineEntry[];
  readonly days: readonly TimelineEntry[];
}

export const nameOfSum = (userId: string | number, server: string, counter: string) =>
  JSON.stringify([String(userId), server, counter]);

/** Adds sums to sums. */
export function added(...all: readonly Sums[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [name, n] of all.flatMap((each) => [...each])) sums.set(name, (sums.get(name) ?? 0) + n);
  return sums;
}

export function sumsOfCounts(counts: readonly Count[]): Map<string, number> {
  return added(...counts.map(({ userId, server, counter, n }) => new Map([[nameOfSum(userId, server, counter), n]])));
}

/** Where two of them differ, in a sentence; null where they are the same. */
export function differenceOf(found: Sums, expected: Sums): string | null {
  const names = [...new Set([...found.keys(), ...expected.keys()])];
  const wrong = names.filter((name) => (found.get(name) ?? 0) !== (expected.get(name) ?? 0));
  const [first] = wrong;
  if (first === undefined) return null;
  const total = (sums: Sums) => [...sums.values()].reduce((all, n) => all + n, 0);
  return `${wrong.length} of ${names.length} sums differ, ${total(found)} in all instead of ${total(expected)}`;
}

export function startHost(folder: string, name: string, env: Readonly<Record<string, string>> = {}): Remote {
  return startRemote({ entry: new URL("./host.child.js", import.meta.url), folder, name, env });
}

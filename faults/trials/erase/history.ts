/** What an erase unit does before, during and after the deletion: drawn from its seed, and what must be left then. */

import type { DriverName } from "agent-stats/sqlcipher";
import { MARK } from "../../oracle/canary.ts";
import { COUNTERS } from "../../oracle/names.ts";
import { type Random, randomOf } from "../../random.ts";

export type UserId = string | number;

/** One thing that a process under test does, in order. */
export type Step =
  | {
      readonly do: "count";
      readonly userId: UserId;
      readonly server: string;
      readonly counter: string;
      readonly n: number;
    }
  | { readonly do: "flush" | "reopen" }
  /** The host has the file moved aside, as if it were damaged, and perhaps it is; a new one is begun. */
  | { readonly do: "aside"; readonly flipAt: number | null }
  | { readonly do: "hours"; readonly hours: number }
  | { readonly do: "reset"; readonly server: string }
  | { readonly do: "delete"; readonly userId: UserId };

export interface History {
  readonly driver: DriverName;
  readonly thread: "worker" | "same";
  readonly victim: UserId;
  readonly totals: "forget" | "anonymise";
  /** Stands in every server of the victim, every few bytes, and in its name where that is a text. */
  readonly tag: string;
  readonly victimServers: readonly string[];
  readonly steps: readonly Step[];
  /** A reader that holds the file when the user is deleted. */
  readonly held: boolean;
  /** Another process that counts for the victim and for others all the while. */
  readonly crowded: boolean;
}

/** Sums by `user server counter`. */
export type Sums = ReadonlyMap<string, number>;

export const nameOfSum = (userId: UserId, server: string, counter: string) =>
  JSON.stringify([String(userId), server, counter]);

/** Names are spread over pages of their own when they are longer than a page. */
const LONG_CHARACTERS = [900, 2_500, 5_000, 13_000] as const;

export function historyOf(seed: number, drivers: readonly DriverName[]): History {
  const random = randomOf(seed);
  const tag = `v${Array.from({ length: 11 }, () => random.whole(0, 35).toString(36)).join("")}`;
  const victim = victimOf(random, tag);
  const servers = serversOf(random, tag, random.whole(1, random.percent(15) ? 250 : 30));
  const others = Array.from({ length: random.whole(1, 3) }, (_, n) => ({
    userId: random.percent(30) ? 100 + n : `user-${MARK}-kept${n}`,
    servers: serversOf(random, `kept${n}`, random.whole(1, 30)),
  }));
  const crowded = random.percent(25);
  const earlier = { userId: `user-${MARK}-earlier`, servers: serversOf(random, "earlier", random.whole(1, 40)) };
  const users = [{ userId: victim, servers }, ...others, earlier];
  return {
    driver: random.pick(drivers),
    thread: random.pick(["worker", "worker", "same"]),
    victim,
    // How much another process had counted when the sums were moved, nobody can tell.
    totals: !crowded && random.percent(35) ? "anonymise" : "forget",
    tag,
    victimServers: servers,
    steps: stepsOf(random, users, earlier.userId),
    held: random.percent(15),
    crowded,
  };
}

/** Numbers are too large to stand anywhere by chance, in whatever way SQLite writes them. */
function victimOf(random: Random, tag: string): UserId {
  if (random.percent(30)) return random.whole(2 ** 40, 2 ** 46);
  return `user-${MARK}-${padded(tag, random.percent(10) ? random.pick(LONG_CHARACTERS) : 0)}`;
}

function serversOf(random: Random, tag: string, count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const length = random.percent(4) ? random.pick(LONG_CHARACTERS) : 0;
    return `smp://${MARK}-${padded(`${tag}-${n}`, length)}.example:${5_000 + n}`;
  });
}

function padded(name: string, length: number): string {
  return name.repeat(Math.max(1, Math.ceil(length / name.length)));
}

function asideOf(random: Random): Step {
  return { do: "aside", flipAt: random.percent(50) ? random.whole(4_096, 40_000) : null };
}

type Users = readonly { readonly userId: UserId; readonly servers: readonly string[] }[];

function stepsOf(random: Random, users: Users, earlier: UserId): Step[] {
  const steps: Step[] = [];
  const sessions = random.whole(1, 3);
  for (let session = 0; session < sessions; session++) {
    if (session > 0) steps.push(random.percent(20) ? asideOf(random) : { do: "reopen" });
    const rounds = random.whole(1, 4);
    for (let round = 0; round < rounds; round++) {
      steps.push(...roundOf(random, users), { do: "flush" });
      if (random.percent(50)) steps.push({ do: "hours", hours: random.whole(1, 30) });
      if (random.percent(20)) steps.push({ do: "reset", server: random.pick(random.pick(users).servers) });
    }
    // Frees pages in which what comes later finds place.
    if (random.percent(30)) steps.push({ do: "delete", userId: earlier });
  }
  // Whatever was reset, the victim is there when it is deleted.
  const [victim] = users;
  if (victim) steps.push(...victim.servers.map((server) => counted(random, victim.userId, server)), { do: "flush" });
  return steps;
}

function roundOf(random: Random, users: Users): Step[] {
  const share = random.whole(20, 100);
  return users.flatMap(({ userId, servers }) =>
    servers.filter(() => random.percent(share)).map((server) => counted(random, userId, server)),
  );
}

function counted(random: Random, userId: UserId, server: string): Step {
  return { do: "count", userId, server, counter: random.pick(COUNTERS), n: random.whole(1, 1_000) };
}

/** What the steps add up to: ten lines that know nothing of files. */
export function sumsOf(steps: readonly Step[]): Map<string, number> {
  const sums = new Map<string, number>();
  const deleted = new Set<string>();
  const drop = (gone: (userId: string, server: string) => boolean) => {
    for (const name of sums.keys()) {
      const [userId, server] = JSON.parse(name) as [string, string, string];
      if (gone(userId, server)) sums.delete(name);
    }
  };
  for (const step of steps) {
    if (step.do === "reopen" || step.do === "aside") deleted.clear();
    if (step.do === "aside") sums.clear();
    if (step.do === "reset") drop((_, server) => server === step.server);
    if (step.do === "delete") deleted.add(String(step.userId));
    if (step.do === "delete") drop((userId) => userId === String(step.userId));
    if (step.do !== "count" || deleted.has(String(step.userId))) continue;
    const name = nameOfSum(step.userId, step.server, step.counter);
    sums.set(name, (sums.get(name) ?? 0) + step.n);
  }
  return sums;
}

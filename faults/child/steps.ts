import { setTimeout as sleep } from "node:timers/promises";
import type { AgentStats } from "agent-stats";
import { ALL, type Ledger, WHAT, type What } from "../oracle/ledger.ts";
import { ATTEMPTED, COUNTERS, FAILED, protocol, SENT, serverOf, userOf } from "../oracle/names.ts";
import type { Random } from "../random.ts";
import type { Death } from "./crash.ts";
import { endLife } from "./endings.ts";
import type { CountStep, LifeSpec, Phase, Step } from "./spec.ts";
import type { LifeStore } from "./store.ts";

/** What the steps of a life work with. */
export interface Life {
  readonly stats: AgentStats;
  readonly ledger: Ledger;
  readonly opened: LifeStore;
  readonly random: Random;
  begins(phase: Phase): void;
  ends(phase: Phase): void;
  /** Ends the library's threads in mid-work, or has them end by themselves at their next save. */
  crash(death: Death): Promise<void>;
}

export async function playSteps({ steps, sabotage }: LifeSpec, life: Life): Promise<void> {
  for (const step of steps) {
    if (step.do === "end") await endLife(step, life, sabotage === "no ending handlers");
    else await playStep(step, life);
  }
}

async function playStep(step: Exclude<Step, { do: "end" }>, life: Life): Promise<void> {
  const { stats, ledger } = life;
  switch (step.do) {
    case "count":
      life.begins("counting");
      await count(step, life);
      return life.ends("counting");
    case "wait":
      return void (await sleep(step.ms));
    case "flush":
      ledger.note(WHAT.flush);
      return tell(ledger, WHAT.flushed, stats.flush());
    case "close":
      ledger.note(WHAT.closing);
      return tell(ledger, WHAT.closed, stats.close());
    case "delete":
      ledger.note(WHAT.deleting, { user: step.user, amount: step.within ? 1 : 0 });
      return tell(ledger, WHAT.deleted, step.within ? deleteWithin(step.user, life) : deleteUser(step.user, life));
    case "reset":
      ledger.note(WHAT.resetting, { server: step.server ?? ALL });
      return tell(ledger, WHAT.reset, stats.reset(step.server === null ? {} : { server: serverOf(step.server) }));
  }
}

async function tell(ledger: Ledger, what: What, done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch {
    return ledger.note(WHAT.rejected);
  }
  ledger.note(what);
}

const deleteUser = (user: number, { stats }: Life) => stats.deleteUser(userOf(user));

/** The host's own record and the user's statistics, in one transaction of the host's. */
async function deleteWithin(user: number, { opened, begins, ends }: Life): Promise<void> {
  if (!opened.host) throw new Error("there is no host's database in this life");
  const { handle, store } = opened.host;
  begins("deleting");
  handle.exec("BEGIN IMMEDIATE");
  handle.prepare("DELETE FROM host_users WHERE user_number = ?").run([user]);
  store.deleteUserWithin(userOf(user));
  handle.exec("COMMIT");
  ends("deleting");
}

const LONGEST_BURST = 12;
const LONGEST_PAUSE_MS = 4;

/** An agent at work: bursts of a few messages, each told to the ledger before it is counted. */
async function count({ ms, ...what }: CountStep, life: Life): Promise<void> {
  const known = life.opened.host?.handle.prepare("INSERT OR IGNORE INTO host_users (user_number) VALUES (?)");
  for (const user of what.users) known?.run([user]);
  const burst = burstsOf(what, life);
  const end = performance.now() + ms;
  do {
    burst();
    await sleep(life.random.whole(1, LONGEST_PAUSE_MS));
  } while (performance.now() < end);
}

/** What counts a few messages at random, at once. */
export function burstsOf(what: Omit<CountStep, "do" | "ms">, { stats, random, ledger }: Life): () => void {
  const keys = what.users.flatMap((user) => what.servers.map((server) => ({ user, server })));
  const counters = keys.map(({ user, server }) => {
    const handle = stats.server(protocol, userOf(user), serverOf(server));
    return (counter: typeof ATTEMPTED | typeof SENT | typeof FAILED, amount: number) => {
      ledger.add(user, server, counter, amount);
      handle.add(COUNTERS[counter], amount);
    };
  });
  return () => {
    for (let n = random.whole(1, LONGEST_BURST); n > 0; n--) {
      const add = random.pick(counters);
      const amount = random.percent(90) ? 1 : random.whole(2, 1_000);
      add(ATTEMPTED, amount);
      if (!what.errors || random.percent(95)) add(SENT, amount);
      else add(FAILED, amount);
    }
  };
}

import { describe, expect, test } from "vitest";
import { blockedMs, type Passed } from "./blocked.ts";
import { HEARTBEAT_MS } from "./timing.ts";

const START: Passed = { at: 1_000, idle: 100, ran: 50, waited: 7, allWaited: 30, sleeps: 3 };
/** After so much of each; the timer itself is late by `at`. */
function after({ at = 0, ...rest }: Partial<Passed>): number {
  const changes = { at: at + HEARTBEAT_MS, idle: HEARTBEAT_MS, ran: 0, waited: 0, allWaited: 0, sleeps: 1, ...rest };
  const names = Object.keys(START) as (keyof Passed)[];
  const to = Object.fromEntries(names.map((name) => [name, START[name] + changes[name]])) as unknown as Passed;
  return blockedMs(START, to);
}

describe("an event loop was blocked", () => {
  test.each<[string, Partial<Passed>]>([
    ["by what ran in it", { at: 80, ran: 80 }],
    ["by what ran in it, also where the machine made it wait for longer", { at: 280, ran: 80, waited: 200 }],
    ["by many short sleeps, as SQLite waits for a lock", { at: 80, sleeps: 9 }],
    ["by one sleep, as a thread waits for another", { at: 80, sleeps: 2 }],
    ["by one sleep, where it was never idle", { at: 80, idle: 0, sleeps: 1, ran: HEARTBEAT_MS }],
    ["while the machine ran others too", { at: 110, sleeps: 2, waited: 30, allWaited: 30 }],
  ])("%s", (_, change) => {
    expect(after(change)).toBe(80);
  });
});

describe("it was not, as", () => {
  test.each<[string, Partial<Passed>]>([
    ["there was nothing to do", {}],
    ["the machine ran others", { at: 80, waited: 80, allWaited: 80 }],
    ["the thread that it waited for was made to wait", { at: 80, sleeps: 2, allWaited: 80 }],
    ["the whole machine stood still", { at: 80 }],
    ["there was nothing to do for long", { at: 80, idle: 80 + HEARTBEAT_MS }],
    ["it was made to wait for most of the time", { at: 80, sleeps: 2, waited: 50, allWaited: 50 }],
  ])("%s", (_, change) => {
    expect(after(change)).toBe(0);
  });
});

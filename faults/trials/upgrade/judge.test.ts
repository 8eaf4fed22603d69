import { describe, expect, test } from "vitest";
import { allFixtures, nameOf } from "./fixtures.ts";
import { problemsOf } from "./judge.ts";
import { COUNTS } from "./orders.ts";
import type { Seen } from "./unit.ts";

const key = { protocol: "smp", userId: "1", server: "smp://a.example" };
const old = new Map([[nameOf(key, "sent"), 5]]);
const hours = new Map([[`10 ${nameOf(key, "sent")}`, 5]]);
const [onTop, beside] = COUNTS;
const session = (n: number) => ({
  session: n,
  started: new Date(1),
  lastSaved: new Date(2),
  ended: null,
  how: "killed" as const,
  canHaveLostMs: 5_000,
});

/** An old file on which a host lived once, and every promise was held. */
const held: Seen = {
  way: "open",
  fixture: {
    schema: "schema-0",
    name: "a",
    sums: old,
    hours,
    sessions: [{ session: 1, started: 1, ended: null, how: "killed" }],
  },
  lives: 1,
  told: [{ problem: null, flushed: null }],
  raw: {
    version: 2,
    integrity: "ok",
    sums: new Map([
      [nameOf(key, "sent"), 5 + onTop.n],
      [nameOf(beside, "sent"), beside.n],
    ]),
    hours: new Map([...hours, [`99 ${nameOf(key, "sent")}`, onTop.n], [`99 ${nameOf(beside, "sent")}`, beside.n]]),
  },
  read: {
    problem: null,
    servers: [
      { ...key, trackedSince: null, past: {}, session: {}, overall: { sent: 5 + onTop.n }, live: {} },
      { ...beside, trackedSince: null, past: {}, session: {}, overall: { sent: beside.n }, live: {} },
    ],
    sessions: [session(1), session(2)] as Seen["read"]["sessions"],
    hours: [],
  },
  untouched: null,
};

test("nothing is wrong with a file in which every promise was held", () => {
  expect(problemsOf(held)).toEqual([]);
});

describe("the judge sees", () => {
  const raw = (change: Partial<Seen["raw"]>): Partial<Seen> => ({ raw: { ...held.raw, ...change } });
  test.each<[string, Partial<Seen>, RegExp]>([
    [
      "an old sum that is another",
      raw({ sums: new Map([...held.raw.sums, [nameOf(key, "sent"), 6 + onTop.n]]) }),
      /sums: 1 of 2/,
    ],
    ["an old counter that is lost", raw({ sums: new Map([[nameOf(beside, "sent"), beside.n]]) }), /sums: 1 of 2/],
    ["a life that was counted twice", { lives: 2 }, /sums: 2 of 2.*more sessions/s],
    [
      "an old hour that is another",
      raw({ hours: new Map([...held.raw.hours, [`10 ${nameOf(key, "sent")}`, 4]]) }),
      /history/,
    ],
    ["a sum that the library tells otherwise", { read: { ...held.read, servers: [] } }, /sums by the library/],
    [
      "a session that is lost",
      { read: { ...held.read, sessions: [session(2)] as never } },
      /session 1 is not what it was/,
    ],
    ["a damaged file", raw({ integrity: "row 3 missing" }), /is damaged/],
    [
      "a file that cannot be opened",
      { told: [{ problem: "STATS_DAMAGED", flushed: null }] },
      /opening said STATS_DAMAGED/,
    ],
    ["a newer file that is not refused", { way: "newer" }, /opening said null/],
    ["a byte that was changed where none may be", { untouched: false }, /bytes were changed/],
  ])("%s", (_, change, what) => {
    expect(problemsOf({ ...held, ...change }).join("; ")).toMatch(what);
  });
});

test("the fixtures are found, and each holds something", () => {
  const fixtures = allFixtures();
  expect(fixtures.length).toBeGreaterThan(1);
  for (const { sums, hours: told, sessions } of fixtures) {
    expect(Math.min(sums.size, told.size, sessions.length)).toBeGreaterThan(0);
  }
});

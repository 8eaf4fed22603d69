import { describe, expect, test } from "vitest";
import type { Kept } from "../../oracle/kept.ts";
import { ALL, type Entry, WHAT } from "../../oracle/ledger.ts";
import { SENT } from "../../oracle/names.ts";
import { keyOfCount } from "../../oracle/worlds.ts";
import { judgePair } from "./judge.ts";

const entry = (at: number, line: Partial<Entry>): Entry => ({
  what: WHAT.add,
  counter: SENT,
  user: ALL,
  server: ALL,
  amount: 0,
  at,
  ...line,
});
const DOOMED = 100;
const key = (user: number, server: number) => keyOfCount(user, server, SENT);
const add = (at: number, user: number, server: number) => entry(at, { user, server, amount: 1 });
const flushed = (at: number) => [entry(at, { what: WHAT.flush }), entry(at, { what: WHAT.flushed })];
const deletion = (at: number) => [WHAT.deleting, WHAT.deleted].map((what) => entry(at, { what, user: DOOMED }));

/** The one counts a user whom the other one may delete. */
const STALE = [add(1, 1, 1), add(2, DOOMED, 1), ...flushed(9)];
const OTHER = [add(3, 1, 51), ...flushed(9)];

function wrongs(kept: Partial<Kept>, stale: readonly Entry[], other: readonly Entry[]) {
  const none = { sums: new Map(), sessions: [], foldedTwice: [], erasePending: false, hostUsers: null, damage: [] };
  const hosts = [stale, other].map((entries) => ({ entries: () => entries }));
  return judgePair({ ...none, ...kept }, hosts).map(({ wrong }) => wrong);
}

const BOTH = new Map([key(1, 1), key(1, 51)].map((each) => [each, 1]));
const ALL_THREE = new Map([...BOTH, [key(DOOMED, 1), 1]]);

describe("two hosts on one file", () => {
  test("have counted what is kept, exactly, whoever of them deleted a user", () => {
    expect(wrongs({ sums: ALL_THREE }, STALE, OTHER)).toEqual([]);
    expect(wrongs({ sums: BOTH }, STALE, [...OTHER, ...deletion(5)])).toEqual([]);
  });

  test.each<[string, Partial<Kept>, readonly Entry[], string[]]>([
    ["a user is lost that nobody deleted", { sums: BOTH }, OTHER, ["acknowledgedLost"]],
    ["a deleted user is back", { sums: ALL_THREE }, [...OTHER, ...deletion(5)], ["doubled", "broughtBack"]],
    ["a session was folded twice", { sums: ALL_THREE, foldedTwice: [key(1, 1)] }, OTHER, ["doubled"]],
    ["the file is damaged", { sums: ALL_THREE, damage: ["page 3 is never used"] }, OTHER, ["corrupt"]],
    ["the file cannot be read", { damage: ["no database"], isUnreadable: true }, OTHER, ["corrupt"]],
    [
      "a host was told of a problem",
      { sums: ALL_THREE },
      [...OTHER, entry(9, { what: WHAT.problem })],
      ["wronglyTold"],
    ],
    ["a host was refused", { sums: ALL_THREE }, [...OTHER, entry(9, { what: WHAT.rejected })], ["wronglyTold"]],
  ])("and it is seen where %s", (_, kept, other, seen) => expect(wrongs(kept, STALE, other)).toEqual(seen));
});

import { describe, expect, test } from "vitest";
import { type Sums, sumsOf } from "./history.ts";
import { problemsOf, type Seen } from "./judge.ts";

const NONE = { pages: 40, servers: 0, user: 0 };
const whole = new Map([
  ['["victim","smp://a","sent"]', 5],
  ['["kept","smp://b","sent"]', 3],
]);
const gone = new Map([['["kept","smp://b","sent"]', 3]]);

const image = (sums: Sums, found = NONE) => ({ sums, next: { sums, found } });

/** A unit in which every promise was held. */
const held: Seen = {
  history: { victim: "victim", crowded: false, held: false, steps: [] },
  expected: { whole, gone },
  before: { pages: 40, servers: 9, user: 2 },
  erased: "physically",
  images: [image(whole), image(gone)],
  between: [{ pages: 40, servers: 9, user: 2 }, NONE],
  after: [NONE, NONE, NONE],
  last: { problem: null, sums: gone, found: NONE },
  controls: null,
};

test("nothing is wrong with a unit in which every promise was held", () => {
  expect(problemsOf(held)).toEqual([]);
});

const servers = { ...NONE, servers: 1 };
const user = { ...NONE, user: 1 };
const half = new Map([['["victim","smp://a","sent"]', 5]]);
const doubled = new Map([['["kept","smp://b","sent"]', 6]]);
const backAgain = new Map([...gone, ['["victim","smp://late","sent"]', 7]]);

describe("the judge sees", () => {
  test.each<[string, Partial<Seen>, RegExp]>([
    ["a search that finds nothing before", { before: NONE }, /proves nothing/],
    ["a server left after the acknowledgement", { after: [NONE, servers, NONE] }, /hold servers after.*look 2/],
    ["the user left after the acknowledgement", { after: [user, NONE, NONE] }, /hold the user.*look 1/],
    ["a server left after the next start", { last: { ...held.last, found: servers } }, /hold servers after the next/],
    ["the user left after the next start", { last: { ...held.last, found: user } }, /hold the user after the next/],
    ["a user who came back by late counts", { last: { ...held.last, sums: backAgain } }, /wrong in the end/],
    ["somebody else's sum changed", { last: { ...held.last, sums: doubled } }, /first is 6 and should be 3/],
    ["a crash that took others with it", { images: [image(half)] }, /wrong after a crash/],
    ["a crash that left another's sum wrong", { images: [image(doubled)] }, /wrong after a crash/],
    ["a crash after which the next start left servers", { images: [image(gone, servers)] }, /a crash left servers/],
    ["an erasure put off for nobody", { erased: "pending" }, /pending with nobody reading/],
    ["an erasure said done while a reader holds it", { history: { ...held.history, held: true } }, /although a reader/],
    ["a next start that fails", { last: { ...held.last, problem: "STATS_DAMAGED" } }, /next start failed/],
  ])("%s", (_, change, what) => {
    const problems = problemsOf({ ...held, ...change });
    expect(problems).not.toEqual([]);
    expect(problems.join("; ")).toMatch(what);
  });
});

test("the model: deleted is deleted until the next session, reset begins at zero", () => {
  const count = (userId: string | number, server: string) =>
    ({ do: "count", userId, server, counter: "sent", n: 2 }) as const;
  const sums = sumsOf([
    count(1, "a"),
    count("1", "a"),
    count(2, "b"),
    { do: "reset", server: "a" },
    count(1, "a"),
    { do: "delete", userId: 2 },
    count(2, "b"),
    { do: "reopen" },
    count(2, "c"),
  ]);
  expect([...sums]).toEqual([
    ['["1","a","sent"]', 2],
    ['["2","c","sent"]', 2],
  ]);
});

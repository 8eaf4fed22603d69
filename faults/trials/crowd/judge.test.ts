import { describe, expect, test } from "vitest";
import type { Kept } from "../../oracle/kept.ts";
import { ALL, type Entry, WHAT } from "../../oracle/ledger.ts";
import { ATTEMPTED, SENT } from "../../oracle/names.ts";
import { keyOfCount } from "../../oracle/worlds.ts";
import { judgeCrowd } from "./judge.ts";
import { COUNTS_A_BATCH, doomedOf, serverOfLife } from "./member-spec.ts";

const entry = (line: Partial<Entry>): Entry => ({
  what: WHAT.add,
  counter: SENT,
  user: ALL,
  server: ALL,
  amount: 0,
  at: 0,
  ...line,
});
const adds = (life: number, user = 1) => entry({ user, server: serverOfLife(life), amount: 1 });
const FLUSHED = [entry({ what: WHAT.flush }), entry({ what: WHAT.flushed })];
const lived = (life: number, ...entries: Entry[]) => ({
  member: { life, role: "count" as const, standIn: false },
  entries,
});
const key = (life: number, user = 1) => keyOfCount(user, serverOfLife(life), SENT);

function kept(sums: Record<string, number>, given: Partial<Kept> = {}): Kept {
  const none = { sessions: [], foldedTwice: [], erasePending: false, hostUsers: null, damage: [] };
  return { ...none, sums: new Map(Object.entries(sums)), ...given };
}

describe("a crowd", () => {
  const two = [lived(1, adds(1), ...FLUSHED), lived(2, adds(2), adds(2))];

  test("is as it should be: each life to a moment of its own", () => {
    expect(judgeCrowd(two, kept({ [key(1)]: 1, [key(2)]: 1 })).findings).toEqual([]);
    expect(judgeCrowd(two, kept({ [key(1)]: 1 })).findings).toEqual([]);
  });

  const [doomed = 0] = doomedOf(1);
  const deletion = entry({ what: WHAT.deleting, user: doomed });

  test("may count users who are deleted: they are gone as soon as anybody asked for it, and there before", () => {
    const counted = lived(1, adds(1, doomed), ...FLUSHED);
    expect(judgeCrowd([counted], kept({ [key(1, doomed)]: 1 })).findings).toEqual([]);
    expect(judgeCrowd([counted, lived(2, deletion)], kept({})).findings).toEqual([]);
  });

  const unlike = [adds(1), adds(1, 2), adds(1), adds(1, 2)];
  const late = { member: { life: 1, role: "count" as const, standIn: true }, entries: unlike };

  test("may hold rows of several moments, where the database's thread saves for one that goes on counting", () => {
    const rows = kept({ [key(1)]: 2 });
    expect(judgeCrowd([late], rows).findings).toEqual([]);
    expect(judgeCrowd([lived(1, ...unlike)], rows).wrongs.torn).toBe(1);
    expect(judgeCrowd([late], kept({ [key(1)]: 3 })).wrongs.doubled).toBe(1);
  });

  test("may hold no row of several moments", () => {
    const attempts = entry({ user: 1, server: serverOfLife(1), counter: ATTEMPTED, amount: 1 });
    const row = { ...late, entries: [adds(1), attempts, adds(1), attempts] };
    const torn = kept({ [key(1)]: 2, [keyOfCount(1, serverOfLife(1), ATTEMPTED)]: 0 });
    expect(judgeCrowd([row], torn).wrongs.torn).toBe(1);
  });

  test("is told by its counts: those that are judged, and surely were made", () => {
    const many = (user: number) => Array.from({ length: 2 * COUNTS_A_BATCH }, () => adds(1, user));
    const counts = (...entries: Entry[]) => judgeCrowd([lived(1, ...entries)], kept({})).counts;
    expect(counts(...many(1))).toBe(COUNTS_A_BATCH);
    expect(counts(...many(1), ...many(doomed))).toBe(3 * COUNTS_A_BATCH);
    expect(counts(...many(1), ...many(doomed), deletion)).toBe(2 * COUNTS_A_BATCH);
  });

  test.each<[string, Parameters<typeof judgeCrowd>, string]>([
    ["a life lost what was acknowledged", [two, kept({ [key(2)]: 2 })], "acknowledgedLost"],
    ["a life was counted twice", [two, kept({ [key(1)]: 2 })], "doubled"],
    ["a session was folded twice", [[], kept({}, { foldedTwice: [key(1)] })], "doubled"],
    ["the file is damaged", [[], kept({}, { damage: ["bad page"] })], "corrupt"],
    [
      "a dead session was left behind",
      [
        [],
        kept(
          {},
          {
            sessions: [{ session: 1, how: null, ended: null, folded: false }],
          },
        ),
      ],
      "acknowledgedLost",
    ],
    ["a late count brought a user back", [[lived(2, deletion)], kept({ [key(1, doomed)]: 3 })], "broughtBack"],
    ["a reader saw what cannot be", [[lived(1, entry({ what: WHAT.sawWrong }))], kept({})], "torn"],
    [
      "counts of a user whose deletion nobody asked for are lost",
      [[lived(1, adds(1, doomed), ...FLUSHED)], kept({})],
      "acknowledgedLost",
    ],
    ["such a user is counted twice", [[lived(1, adds(1, doomed))], kept({ [key(1, doomed)]: 2 })], "doubled"],
    ["an error tells a secret", [[lived(1, entry({ what: WHAT.leaked }))], kept({})], "leaked"],
    ["a member broke", [[lived(1, entry({ what: WHAT.broke }))], kept({})], "broke"],
    ["a process ended by itself", [[], kept({}), ["a process ended by itself, by code 1"]], "broke"],
    ["the host heard of others", [[lived(1, entry({ what: WHAT.problem, amount: 1 }))], kept({})], "busy"],
  ])("control: it is seen when %s", (_, args, wrong) => {
    const { wrongs, findings } = judgeCrowd(...args);
    expect(findings).toHaveLength(1);
    expect(wrongs).toMatchObject({ [wrong]: 1 });
  });
});

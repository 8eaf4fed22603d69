import { describe, expect, test } from "vitest";
import { PHASES } from "../child/spec.ts";
import { judgeLife, type LifeToJudge } from "./judge.ts";
import type { Kept, Told } from "./kept.ts";
import { ALL, type Entry, WHAT, type What } from "./ledger.ts";
import { FAILED, SENT } from "./names.ts";
import { keyOfCount, type Sums } from "./worlds.ts";

const A = keyOfCount(1, 1, SENT);
const B = keyOfCount(2, 1, SENT);

/** A ledger as a process would have written it, one entry a millisecond. */
function ledger(...lines: Partial<Entry>[]): Entry[] {
  return lines.map((line, at) => ({ what: WHAT.add, counter: SENT, user: ALL, server: ALL, amount: 0, at, ...line }));
}
const add = (user: number, amount = 1, given: Partial<Entry> = {}) => ({ user, server: 1, amount, ...given });
const note = (what: What, given: Partial<Entry> = {}) => ({ what, ...given });
const phase = (name: (typeof PHASES)[number]) => note(WHAT.phase, { amount: PHASES.indexOf(name) });
const FLUSH = [note(WHAT.flush), note(WHAT.flushed)];

function kept(sums: Record<string, number>, given: Partial<Kept> & { told?: Told } = {}) {
  const map: Sums = new Map(Object.entries(sums));
  const none = { sessions: [], foldedTwice: [], erasePending: false, hostUsers: null, damage: [] };
  return { ...none, sums: map, told: { sums: map, sessions: [] }, ...given };
}

function judged(entries: Entry[], sums: LifeToJudge["kept"], given: Partial<LifeToJudge> = {}) {
  const life = {
    entries,
    before: new Map(),
    kept: sums,
    flushEveryMs: 100,
    isStuck: false,
    hasProblem: false,
    killedAt: null,
    how: null,
    ...given,
  };
  return judgeLife(life);
}
const wrongs = (...args: Parameters<typeof judged>) => judged(...args).findings.map(({ wrong }) => wrong);

describe("what is so", () => {
  const counted = ledger(add(1), add(2), ...FLUSH, add(1), add(2));

  test.each([
    ["what was acknowledged", { [A]: 1, [B]: 1 }],
    ["more of it, to one moment", { [A]: 2, [B]: 1 }],
    ["all of it", { [A]: 2, [B]: 2 }],
  ])("is believed: %s is kept", (_, sums) => expect(wrongs(counted, kept(sums))).toEqual([]));

  test("is measured: how far back the oldest count was made that is lost", () => {
    const entries = [...counted, ...ledger(note(WHAT.kill, { at: 40 }))];
    expect(judged(entries, kept({ [A]: 1, [B]: 1 })).lossMs).toBe(36);
    expect(judged(entries, kept({ [A]: 2, [B]: 2 })).lossMs).toBe(0);
  });

  test("is added to what was there before", () => {
    const before = new Map([[A, 5]]);
    expect(wrongs(counted, kept({ [A]: 7, [B]: 2 }), { before })).toEqual([]);
    expect(wrongs([], kept({ [A]: 5 }), { before })).toEqual([]);
  });

  test("is every world that a deletion or a reset leaves which was not acknowledged", () => {
    const deleting = ledger(add(1), add(2), ...FLUSH, note(WHAT.deleting, { user: 1 }));
    expect(wrongs(deleting, kept({ [A]: 1, [B]: 1 }))).toEqual([]);
    expect(wrongs(deleting, kept({ [B]: 1 }))).toEqual([]);
    const resetting = ledger(add(1), ...FLUSH, note(WHAT.resetting, { server: 1 }));
    expect(wrongs(resetting, kept({ [A]: 1 }))).toEqual([]);
    expect(wrongs(resetting, kept({}))).toEqual([]);
  });

  test("is what was counted after a reset, and nothing of who was deleted", () => {
    const reset = [note(WHAT.resetting), note(WHAT.reset)];
    expect(wrongs(ledger(add(1, 3), ...FLUSH, ...reset, add(1, 2), ...FLUSH), kept({ [A]: 2 }))).toEqual([]);
    const deleted = [note(WHAT.deleting, { user: 1 }), note(WHAT.deleted)];
    expect(wrongs(ledger(add(1), ...deleted, add(1), add(2), ...FLUSH), kept({ [B]: 1 }))).toEqual([]);
  });

  test("is a file that is not there yet, before anything began", () => {
    expect(wrongs(ledger(phase("starting")), null)).toEqual([]);
  });
});

describe("what is not so is seen", () => {
  const deleted = [note(WHAT.deleting, { user: 1 }), note(WHAT.deleted)];

  test.each<[string, Entry[], LifeToJudge["kept"], string]>([
    ["an acknowledged count is missing", ledger(add(1), add(1), ...FLUSH), kept({ [A]: 1 }), "acknowledgedLost"],
    ["a key is missing", ledger(add(1), add(2), ...FLUSH), kept({ [A]: 1 }), "acknowledgedLost"],
    ["the file is missing", ledger(add(1), ...FLUSH), null, "acknowledgedLost"],
    ["more is kept than was counted", ledger(add(1), ...FLUSH), kept({ [A]: 2 }), "doubled"],
    ["a key is kept that nobody counted", ledger(add(1), ...FLUSH), kept({ [A]: 1, [B]: 1 }), "doubled"],
    ["a deleted user is there", ledger(add(1), ...FLUSH, ...deleted), kept({ [A]: 1 }), "doubled"],
    ["a late count brought the user back", ledger(...deleted, add(1), ...FLUSH), kept({ [A]: 1 }), "doubled"],
    ["a reset did not happen", ledger(add(1), note(WHAT.resetting), note(WHAT.reset)), kept({ [A]: 1 }), "doubled"],
    ["two numbers are of two moments", ledger(add(1), add(2)), kept({ [B]: 1 }), "torn"],
    ["a number was never that", ledger(add(1, 5)), kept({ [A]: 3 }), "torn"],
    ["the file is damaged", [], kept({}, { damage: ["page 3 is never used"] }), "corrupt"],
    ["the file cannot be read", [], kept({}, { damage: ["no database"], isUnreadable: true }), "corrupt"],
    ["a session was folded twice", [], kept({}, { foldedTwice: [A] }), "doubled"],
    ["a problem was told", ledger(note(WHAT.problem)), kept({}), "wronglyTold"],
    ["other sums are told", [], kept({}, { told: { sums: new Map([[A, 1]]), sessions: [] } }), "wronglyTold"],
    ["a session is not listed", ledger(note(WHAT.session, { amount: 1 })), kept({}), "wronglyTold"],
  ])("%s", (_, entries, sums, wrong) => expect(wrongs(entries, sums)).toEqual([wrong]));

  test("what was there before is lost", () => {
    expect(wrongs([], kept({ [A]: 4 }), { before: new Map([[A, 5]]) })).toEqual(["acknowledgedLost"]);
  });

  test("a count is lost that is older than the interval; time in which the store was at work is allowed", () => {
    const kill = note(WHAT.kill, { at: 300 });
    expect(wrongs(ledger(add(1), kill), kept({}))).toEqual(["lateLoss"]);
    const saving = { ...phase("saving"), at: 90 };
    expect(wrongs(ledger(add(1), saving, kill), kept({}))).toEqual([]);
    expect(wrongs(ledger(add(1), note(WHAT.late, { amount: 220 }), kill), kept({}))).toEqual([]);
    const before = ledger(note(WHAT.late, { amount: 220 }), add(1), kill);
    expect(wrongs(before, kept({})), "the stall was over when it was counted").toEqual(["lateLoss"]);
  });

  test("a thread that is stuck loses more than two intervals; that its heart stood still excuses nothing", () => {
    const stuck = { isStuck: true, flushEveryMs: 50 };
    const kill = (at: number) => note(WHAT.kill, { at, amount: at });
    expect(wrongs(ledger(add(1), note(WHAT.hang), kill(200)), kept({}), stuck)).toEqual([]);
    expect(wrongs(ledger(add(1), note(WHAT.hang), kill(500)), kept({}), stuck)).toEqual(["lateLoss"]);
    const saving = ledger(add(1), phase("saving"), note(WHAT.hang), kill(500));
    expect(wrongs(saving, kept({}), stuck)).toEqual(["lateLoss"]);
  });

  test("an error is lost that is older than 250 ms, whatever the interval", () => {
    const entries = ledger(add(1, 1, { counter: FAILED }), note(WHAT.kill, { at: 400 }));
    expect(wrongs(entries, kept({}), { flushEveryMs: 5_000 })).toEqual(["lateLoss"]);
  });

  test("anything is lost by a process that was not killed", () => {
    expect(wrongs(ledger(add(1)), kept({ [A]: 1 }), { how: "exit" })).toEqual([]);
    expect(wrongs(ledger(add(1)), kept({}), { how: "exit" })).toEqual(["acknowledgedLost"]);
  });

  test("a host's record and its counts do not go together", () => {
    const deleting = ledger(add(1), ...FLUSH, note(WHAT.deleting, { user: 1, amount: 1 }));
    expect(wrongs(deleting, kept({ [A]: 1 }, { hostUsers: new Set([1]) }))).toEqual([]);
    expect(wrongs(deleting, kept({}, { hostUsers: new Set() }))).toEqual([]);
    expect(wrongs(deleting, kept({ [A]: 1 }, { hostUsers: new Set() }))).toEqual(["halfDeleted"]);
    expect(wrongs(deleting, kept({}, { hostUsers: new Set([1]) }))).toEqual(["halfDeleted"]);
  });
});

describe("where a kill landed", () => {
  const kill = note(WHAT.kill);
  const over = (name: (typeof PHASES)[number]) => note(WHAT.phaseOver, { amount: PHASES.indexOf(name) });

  test.each<[string, Entry[]]>([
    ["starting", []],
    ["folding", ledger(phase("starting"), phase("folding"), kill)],
    ["counting", ledger(phase("counting"), phase("saving"), over("saving"), kill)],
    ["saving", ledger(phase("counting"), phase("saving"), kill, over("saving"))],
    ["between", ledger(phase("starting"), over("starting"), note(WHAT.started), kill)],
  ])("%s", (landed, entries) => expect(judged(entries, kept({})).landed).toBe(landed));

  test("erasing, where the deletion is done and its mark still stands", () => {
    const entries = ledger(note(WHAT.deleting, { user: 1 }), phase("deleting"), kill);
    expect(judged(entries, kept({}, { erasePending: true })).landed).toBe("erasing");
    expect(judged(entries, kept({}, { erasePending: false })).landed).toBe("deleting");
  });
});

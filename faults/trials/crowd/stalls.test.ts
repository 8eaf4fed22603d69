import { expect, test } from "vitest";
import { ALL, type Entry, WHAT } from "../../oracle/ledger.ts";
import type { MemberSpec } from "./member-spec.ts";
import { blockedTooLong, MOST_BLOCKED_MS, stallsOf } from "./stalls.ts";

const NOTHING = { counter: 0, user: ALL, server: ALL };
const ledger = (role: MemberSpec["role"], ...given: Pick<Entry, "what" | "amount" | "at">[]) => ({
  member: { role },
  entries: given.map((entry) => ({ ...NOTHING, ...entry })),
});
const blocked = (amount: number, at: number) => ledger("count", { what: WHAT.blocked, amount, at });
const late = (amount: number, at: number) => ledger("bare", { what: WHAT.late, amount, at });

test("a stall is one where the bare process had none", () => {
  const stalls = stallsOf([blocked(MOST_BLOCKED_MS + 10, 5_000), late(40, 9_000)]);
  expect(stalls).toEqual({ longestMs: MOST_BLOCKED_MS + 10, againMs: MOST_BLOCKED_MS + 10, longestBareMs: 40 });
  expect(blockedTooLong(stalls)).toMatch(/blocked for 60 ms/);
});

test("the limit is no higher where the bare process was late for less", () => {
  expect(blockedTooLong(stallsOf([blocked(60, 5_000), blocked(60, 6_000), late(59, 5_000)]))).not.toBeNull();
});

test("on a machine that is busy it has to come again, by however many threads", () => {
  const busy = late(400, 9_000);
  expect(blockedTooLong(stallsOf([blocked(300, 5_000), busy]))).toBeNull();
  expect(blockedTooLong(stallsOf([blocked(300, 5_000), blocked(51, 2_000), busy]))).not.toBeNull();
});

test("the limit is not that of a turn that is short, or of one that the machine made long", () => {
  expect(blockedTooLong(stallsOf([blocked(MOST_BLOCKED_MS, 5_000)]))).toBeNull();
  expect(blockedTooLong(stallsOf([blocked(60, 5_000), late(60, 5_050)]))).toBeNull();
});

test("who only reads is looked at too", () => {
  const reader = ledger("read", { what: WHAT.blocked, amount: 70, at: 1 });
  expect(stallsOf([reader]).longestMs).toBe(70);
});

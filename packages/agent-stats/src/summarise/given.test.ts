import { expect, test } from "vitest";
import { expectThrown, SECRET } from "../record/given.testing.ts";
import { diagnose } from "./diagnose.ts";
import type { Diagnosable, Finding } from "./findings.ts";
import { groupByUse, shown, successRates, totals } from "./groups.ts";
import { smp } from "./simplex.testing.ts";
import { tell } from "./tell.ts";

const noObject = [null, 5, SECRET, Symbol(SECRET), () => SECRET] as never[];
const nothing = [undefined as never, ...noObject];
const noList = [...nothing, {} as never, [null] as never, [{ overall: {} }] as never];
const now = new Date();
const read = {
  ...{ servers: { trackedSince: now, sessions: [], servers: [] }, sessions: [], timeline: [], now },
} as unknown as Diagnosable;
const finding: Finding = { kind: "rejected", weight: 1, calls: 1, reasons: {} };

test.each<[string, never[], (given: never) => unknown, RegExp]>([
  ["servers to add up", noList, (given) => totals(given), /getServersStats tells/],
  ["a part", [null, 5, "live"] as never[], (part) => totals([], { part }), /past, session or overall/],
  ["servers to be shown", noList, (given) => shown(given, {}), /getServersStats tells/],
  ["how they are shown", nothing, (given) => shown([], given), /options must be an object/],
  ["whose they are", [null, {}] as never[], (userId) => shown([], { userId }), /text or a number/],
  ["who is hidden", [5, [null], [{}]] as never[], (hiddenUsers) => shown([], { hiddenUsers }), /text or a number/],
  ["servers to be grouped", noList, (given) => groupByUse(given), /getServersStats tells/],
  [
    "rules",
    [...noObject, { smp: 5 } as never, { smp: { wasUsed: 5 } } as never],
    (given) => groupByUse([], given),
    /rules/,
  ],
  ["a protocol", [...nothing, {} as never], (given) => successRates(given, {}), /defineProtocol/],
  ["its numbers", nothing, (given) => successRates(smp, given), /a number for each counter/],
  ["what is diagnosed", [...nothing, {} as never], (given) => diagnose(given), /a view of the statistics tells/],
  ["its timeline", nothing, (timeline) => diagnose({ ...read, timeline }), /a view of the statistics tells/],
  [
    "now",
    [...nothing, new Date(Number.NaN) as never],
    (given) => diagnose({ ...read, now: given }),
    /now must be a date/,
  ],
  ["protocols", noObject, (protocols) => diagnose({ ...read, protocols }), /defineProtocol/],
  ["how far it looks back", [null, "5"] as never[], (lookBackMs) => diagnose({ ...read, lookBackMs }), /milliseconds/],
  ["a finding", [...nothing, {} as never], (given) => tell(given, { now, nameOf: String }), /diagnose tells/],
  ["a speaker", [...nothing, {} as never], (given) => tell(finding, given), /speaker must have now/],
])("%s that is none is refused, in a sentence that does not repeat it", (_, wrong, call, says) => {
  for (const given of wrong) expectThrown(() => call(given), says);
});

test("a rule is found by its protocol's own name only", () => {
  const server = { protocol: "constructor", userId: "1", server: "a", trackedSince: null, past: {}, session: {} };
  const counted = { ...server, overall: { sent: 1 }, live: {} };
  expect(groupByUse([counted])).toEqual({ currentlyUsed: [], previouslyUsed: [counted], onlyProxied: [] });
});

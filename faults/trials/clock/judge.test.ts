import { describe, expect, test } from "vitest";
import { COUNTERS, serverOf, userOf } from "../../oracle/names.ts";
import { nameOfSum, type Reading } from "../../remote/host.ts";
import { problemsOf, type Seen } from "./judge.ts";
import { HOUR } from "./plan.ts";

const AT = Date.UTC(2026, 10, 23, 22);
const [counter] = COUNTERS;
const key = (run: number) => ({ protocol: "p", userId: userOf(1), server: serverOf(run) });
const entry = (at: number, run: number, n: number) => ({
  start: new Date(at),
  ...key(run),
  counters: { [counter]: n },
});
const session = (number: number, run: number, n: number, [started, lastSaved, ended]: number[]) => ({
  session: number,
  started: new Date(started ?? 0),
  lastSaved: new Date(lastSaved ?? 0),
  ended: ended === undefined ? null : new Date(ended),
  canHaveLostMs: 0,
  servers: [{ ...key(run), counters: { [counter]: n } }],
});
const name = (run: number) => nameOfSum(userOf(1), serverOf(run), counter);

/** Two runs, one of which counted across midnight in Berlin: 5 before it and 7 after, and 11 in the next. */
const reading: Reading = {
  sums: new Map([
    [name(0), 12],
    [name(1), 11],
  ]),
  sessions: [session(1, 0, 12, [AT, AT + HOUR, AT + HOUR]), session(2, 1, 11, [AT - HOUR, AT - HOUR])],
  hours: [entry(AT, 0, 5), entry(AT + HOUR, 0, 7), entry(AT - HOUR, 1, 11)],
  days: [entry(AT - 23 * HOUR, 0, 5), entry(AT + HOUR, 0, 7), entry(AT - 23 * HOUR, 1, 11)],
};
const hour = AT / HOUR;
const held: Seen = {
  plan: { zone: "Europe/Berlin" },
  counted: reading.sums,
  byHour: new Map([
    [`${hour} ${name(0)}`, 5],
    [`${hour + 1} ${name(0)}`, 7],
    [`${hour - 1} ${name(1)}`, 11],
  ]),
  trouble: [],
  reading,
};

test("nothing is wrong with a life in which every promise was held", () => {
  expect(problemsOf(held)).toEqual([]);
});

const withReading = (change: Partial<Reading>): Partial<Seen> => ({ reading: { ...reading, ...change } });

describe("the judge sees", () => {
  test.each<[string, Partial<Seen>, RegExp]>([
    ["a call that failed", { trouble: ["flush failed with STATS_BUSY"] }, /flush failed/],
    ["a sum that is wrong", withReading({ sums: new Map([[name(0), 12]]) }), /sums: 1 of 2/],
    ["an hour that is lost", withReading({ hours: reading.hours.slice(1) }), /hours: 1 of 2 sums differ/],
    [
      "an hour that is doubled",
      withReading({ hours: [...reading.hours, entry(AT, 0, 5)] }),
      /hour of a key is told twice/,
    ],
    ["a day that is lost", withReading({ days: reading.days.slice(1) }), /days: 1 of 2/],
    [
      "an hour in the wrong day",
      withReading({ days: [entry(AT - 23 * HOUR, 0, 12), entry(AT - 23 * HOUR, 1, 11)] }),
      /days do not hold their hours/,
    ],
    [
      "a count in another hour than it was made in",
      withReading({ hours: [entry(AT, 0, 7), entry(AT + HOUR, 0, 5), entry(AT - HOUR, 1, 11)] }),
      /not in the hour/,
    ],
    [
      "a negative duration",
      withReading({ sessions: [session(1, 0, 12, [AT, AT - 1]), ...reading.sessions.slice(1)] }),
      /negative duration/,
    ],
    [
      "an end before the last save",
      withReading({ sessions: [session(1, 0, 12, [AT, AT + 2, AT + 1]), ...reading.sessions.slice(1)] }),
      /negative duration/,
    ],
    ["sessions out of order", withReading({ sessions: [...reading.sessions].reverse() }), /not in the order/],
    [
      "a session that counted another's",
      withReading({
        sessions: [{ ...session(1, 0, 12, [AT]), servers: reading.hours.map(({ start: _, ...of }) => of) }],
      }),
      /another run/,
    ],
  ])("%s", (_, change, what) => {
    expect(problemsOf({ ...held, ...change }).join("; ")).toMatch(what);
  });
});

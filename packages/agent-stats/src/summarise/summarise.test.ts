import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Recorder } from "../record/recorder.ts";
import type { Counters, Ending, SessionRow, SessionSumRow, Sums } from "../store/store.ts";
import { totals } from "./groups.ts";
import { type ServerStats, serversStats } from "./servers-stats.ts";
import { sessionOf, sessionsWithCounts } from "./sessions.ts";
import { smp, xftp } from "./simplex.testing.ts";

const AT = Date.UTC(2026, 10, 23, 12);

function sumsOf(
  keys: readonly (readonly [protocol: string, user: string, server: string, past: Counters, open: Counters])[],
  rest = {},
): Sums {
  return {
    trackedSince: AT,
    lastSaved: AT + 5,
    closed: false,
    clears: [],
    saves: 0,
    sessions: [],
    keys: keys.map(([protocol, userId, server, past, open], key) => {
      return { protocol, userId, server, trackedSince: AT + key, past, open };
    }),
    ...rest,
  };
}

const numbersOf = ({ past, session, overall }: ServerStats) => [past, session, overall];

describe("serversStats", () => {
  test("joins what a store holds with what a recorder counted, each number in its place", () => {
    const recorder = new Recorder({ protocols: [smp, xftp] });
    const anna = recorder.server(smp, 1, "smp://a");
    smp.counters.forEach(({ name }, i) => void anna.add(name as "recvMsgs", 1_000 * (i + 1)));
    anna.set("ssConnected", 3);
    recorder.server(smp, 10, "smp://a").add("recvMsgs", 7);
    const each = (value: (i: number) => number) =>
      Object.fromEntries(smp.counters.map(({ name }, i) => [name, value(i + 1)]));
    const sums = sumsOf([
      ["smp", "1", "smp://a", each((i) => i), each((i) => 100_000 * i)],
      ["xftp", "1", "xftp://f", { ofALaterVersion: 5 }, { uploads: 4 }],
    ]);
    const { servers, trackedSince, lastSaved } = serversStats(sums, [], recorder.getServersStats());
    const [first, second, third] = servers as [ServerStats, ServerStats, ServerStats];
    expect(numbersOf(first)).toEqual([each((i) => 100_001 * i), each((i) => 1_000 * i), each((i) => 101_001 * i)]);
    expect(first.live).toEqual({ ssConnected: 3 });
    expect(numbersOf(second)).toEqual([{ uploads: 4, ofALaterVersion: 5 }, {}, { uploads: 4, ofALaterVersion: 5 }]);
    expect([second.live, second.trackedSince]).toEqual([{}, new Date(AT + 1)]);
    expect([third.userId, third.trackedSince, ...numbersOf(third)]).toEqual([
      "10",
      null,
      {},
      { recvMsgs: 7 },
      { recvMsgs: 7 },
    ]);
    expect([trackedSince, lastSaved]).toEqual([new Date(AT), new Date(AT + 5)]);
  });

  test("shows a reader of a file what sessions that are not folded have saved as the session", () => {
    const sums = sumsOf([["smp", "1", "smp://a", { recvMsgs: 5 }, { recvMsgs: 3 }]], { lastSaved: null });
    const { servers, lastSaved, rejected } = serversStats(sums, [], null);
    expect(numbersOf(servers[0] as ServerStats)).toEqual([{ recvMsgs: 5 }, { recvMsgs: 3 }, { recvMsgs: 8 }]);
    expect([servers[0]?.live, lastSaved, rejected]).toEqual([{}, null, {}]);
  });

  test("tells how many calls counted nothing, and shows a key without a number", () => {
    const recorder = new Recorder({ protocols: [smp] });
    recorder.server(smp, 1, "smp://a").add("recvMsgs", -1);
    const { servers, rejected } = serversStats(sumsOf([]), [], recorder.getServersStats());
    expect(numbersOf(servers[0] as ServerStats)).toEqual([{}, {}, {}]);
    expect(rejected).toMatchObject({ negative: 1, notWhole: 0 });
  });

  test("adds up whatever names counters bear, also those that every object has", () => {
    const name = fc.oneof(fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty"), fc.string());
    const row = fc.record({ counter: name, past: fc.nat(), open: fc.nat() });
    fc.assert(
      fc.property(fc.uniqueArray(row, { selector: ({ counter }) => counter }), (rows) => {
        const part = (which: "past" | "open") =>
          Object.fromEntries(rows.filter((each) => each[which] > 0).map((each) => [each.counter, each[which]]));
        const sums = sumsOf([["__proto__", "constructor", "toString", part("past"), part("open")]]);
        const [found] = serversStats(sums, [], null).servers;
        for (const { counter, past, open } of rows) {
          const of = (numbers: object) => Object.getOwnPropertyDescriptor(numbers, counter)?.value ?? 0;
          expect(numbersOf(found as ServerStats).map(of)).toEqual([past, open, past + open]);
          const [[protocol, sum] = []] = Object.entries(totals([found as ServerStats]));
          expect([protocol, of(sum ?? {})]).toEqual(["__proto__", past + open]);
        }
        expect(Object.keys({})).toEqual([]);
      }),
    );
  });
});

describe("sessions", () => {
  const row = (session: number, rest: Partial<SessionRow>): SessionRow => {
    return {
      session,
      started: AT,
      lastSaved: AT + 1,
      ended: AT + 2,
      how: "close",
      flushEveryMs: 5_000,
      folded: true,
      ...rest,
    };
  };

  test("tell when they began and ended, how, and what they can have lost: something only where they were killed", () => {
    const endings: (Ending | null)[] = [
      "close",
      "exit",
      "exception",
      "rejection",
      "SIGTERM",
      "SIGINT",
      "SIGHUP",
      "clock",
      "agent",
      "killed",
      null,
    ];
    const told = endings.map((how) =>
      sessionOf(row(1, { how, ended: how === "killed" || how === null ? null : AT + 2 })),
    );
    expect(told.map(({ how }) => how)).toEqual([...endings.slice(0, -1), "running"]);
    expect(told.map(({ canHaveLostMs }) => canHaveLostMs)).toEqual([...Array(9).fill(0), 5_000, 0]);
    expect(told[0]).toMatchObject({ started: new Date(AT), lastSaved: new Date(AT + 1), ended: new Date(AT + 2) });
    expect([told.at(-1)?.ended, told.at(-2)?.ended]).toEqual([null, null]);
  });

  test("tell what each counted of each key, and are there without counts too", () => {
    const sum = (session: number, userId: string, counter: string, value: number): SessionSumRow => {
      return { session, protocol: "smp", userId, server: "smp://a", counter, value };
    };
    const sums = [
      sum(1, "1", "recvMsgs", 5),
      sum(1, "1", "connCreated", 6),
      sum(1, "10", "recvMsgs", 7),
      sum(3, "1", "recvMsgs", 8),
    ];
    const sessions = sessionsWithCounts(
      [1, 2, 3].map((session) => row(session, {})),
      sums,
      [],
    );
    const key = (userId: string, counters: object) => ({ protocol: "smp", userId, server: "smp://a", counters });
    expect(sessions.map(({ servers }) => servers)).toEqual([
      [key("1", { recvMsgs: 5, connCreated: 6 }), key("10", { recvMsgs: 7 })],
      [],
      [key("1", { recvMsgs: 8 })],
    ]);
  });

  test("tell what each folded, deleted and reset, and what nobody's session did in its time", () => {
    const rows = [1, 2].map((session) => row(session, { started: session * 10 }));
    const sessions = sessionsWithCounts(
      rows,
      [],
      [
        { at: 12, session: 1, what: "delete", of: "user" },
        { at: 21, session: 2, what: "fold", of: 1 },
        { at: 22, session: 1, what: "reset", of: "everything" },
        { at: 23, session: null, what: "reset", of: "server" },
        { at: 15, session: 77, what: "delete", of: "user" },
        { at: 1, session: null, what: "delete", of: "user" },
      ],
    );
    const told = sessions.map(({ log }) => log.map(({ at, what, of, by }) => [at.getTime(), what, of, by]));
    expect(told).toEqual([
      [
        [12, "delete", "user", 1],
        [22, "reset", "everything", 1],
        [15, "delete", "user", 77],
        [1, "delete", "user", null],
      ],
      [
        [21, "fold", 1, 2],
        [23, "reset", "server", null],
      ],
    ]);
  });
});

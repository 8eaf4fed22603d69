import { describe, expect, test } from "vitest";
import { ago, given, HOUR_MS, hourly, NOW, session } from "./diagnose.testing.ts";
import { diagnose } from "./diagnose.ts";

const fine = (server: string, from = 480, to = 0) => hourly(from, to, server, { sentDirect: 53 });

describe("a server that fails", () => {
  test("is told with its share, its reasons, and since when; others are fine", () => {
    const findings = diagnose(
      given([
        ...fine("my.example", 480, 48),
        ...hourly(47, 0, "my.example", { sentDirect: 41, sentQuotaErrs: 7, sentAuthErrs: 2 }),
        ...fine("a.example"),
        ...fine("b.example"),
      ]),
    );
    expect(findings).toEqual([
      {
        kind: "failing",
        weight: expect.any(Number),
        protocol: "smp",
        activity: "send",
        server: "my.example",
        failed: 48 * 9,
        outcomes: 48 * 50,
        since: ago(47),
        sinceMayBeEarlier: false,
        until: null,
        reasons: [
          { reason: "QUOTA", counter: "sentQuotaErrs", includes: [], count: 48 * 7 },
          { reason: "AUTH", counter: "sentAuthErrs", includes: [], count: 48 * 2 },
        ],
        users: [{ userId: "1", failed: 48 * 9, outcomes: 48 * 50 }],
        others: { servers: 2, failing: 0 },
      },
    ]);
  });

  test("control: the same sums spread evenly are told with another date, and 2 % are not told at all", () => {
    const spread = hourly(480, 0, "my.example", { sentDirect: 41, sentQuotaErrs: 9 });
    expect(diagnose(given(spread))).toMatchObject([{ kind: "failing", since: ago(480), sinceMayBeEarlier: true }]);
    const tolerable = hourly(480, 0, "my.example", { sentDirect: 98, sentQuotaErrs: 2 });
    expect(diagnose(given(tolerable))).toEqual([]);
  });

  test("that was well again is told as over, behind what goes on, and not at all after a month", () => {
    const over = (begin: number) => [
      ...hourly(begin, begin - 5, "past.example", { sentDirect: 10, sentOtherErrs: 11 }),
      ...hourly(begin - 6, begin - 40, "past.example", { sentDirect: 53 }),
    ];
    const now = hourly(9, 0, "now.example", { sentDirect: 30, sentExpiredErrs: 3 });
    expect(diagnose(given([...over(200), ...now]))).toMatchObject([
      { server: "now.example", until: null, reasons: [{ reason: "EXPIRED", count: 30 }] },
      { server: "past.example", since: ago(200), until: ago(195), failed: 66, outcomes: 126 },
    ]);
    expect(diagnose(given(over(24 * 40)))).toEqual([]);
    expect(diagnose(given(over(24 * 40), { lookBackMs: 60 * 24 * HOUR_MS }))).toHaveLength(1);
  });

  test.each([
    [7, 0],
    [8, 1],
  ])("%d failures of as many are %d findings", (failed, count) => {
    expect(diagnose(given([{ hoursAgo: 3, server: "a", counters: { sentAuthErrs: failed } }]))).toHaveLength(count);
  });

  test("users are told apart, and a server's keys of several users are one server", () => {
    const [finding] = diagnose(
      given([
        ...hourly(9, 0, "a", { sentDirect: 97 }, { userId: "2" }),
        ...hourly(9, 0, "a", { sentDirect: 11, sentAuthErrs: 13 }, { userId: "7" }),
      ]),
    );
    expect(finding).toMatchObject({
      failed: 130,
      outcomes: 1_210,
      users: [
        { userId: "7", failed: 130, outcomes: 240 },
        { userId: "2", failed: 0, outcomes: 970 },
      ],
    });
  });

  test("messages that a proxy passed on, and duplicates, are no failures of it", () => {
    const counters = { recvMsgs: 100, recvCryptoErrs: 3, sentProxied: 999, sentProxiedAttempts: 1_999 };
    expect(diagnose(given(hourly(40, 0, "a", counters)))).toEqual([]);
    // Failures are within what was received: 50 of 100, not of 150.
    const bad = diagnose(given(hourly(40, 0, "a", { recvMsgs: 100, recvCryptoErrs: 50 })));
    expect(bad).toMatchObject([{ activity: "receive", failed: 41 * 50, outcomes: 41 * 100 }]);
  });
});

describe("servers that fail at once", () => {
  const night = (server: string) => [
    ...fine(server, 100, 40),
    ...hourly(39, 33, server, { sentDirect: 3, sentOtherErrs: 17 }),
    ...fine(server, 32, 0),
  ];

  test("are one finding, which says so", () => {
    const findings = diagnose(given(["a", "b", "c", "d"].flatMap(night)));
    expect(findings).toMatchObject([
      {
        kind: "failing-everywhere",
        ofServers: 4,
        failed: 4 * 7 * 17,
        outcomes: 4 * 7 * 20,
        since: ago(39),
        until: ago(33),
      },
    ]);
  });

  test("control: two of four are two findings, each with the other", () => {
    const findings = diagnose(given([...night("a"), ...night("b"), ...fine("c"), ...fine("d")]));
    expect(findings).toMatchObject([
      { kind: "failing", others: { servers: 3, failing: 1 } },
      { kind: "failing", others: { servers: 3, failing: 1 } },
    ]);
  });

  test("a thousand servers are no thousand findings", () => {
    const servers = Array.from({ length: 1_000 }, (_, i) => `server-${i}`);
    const all = servers.flatMap((server) => hourly(3, 0, server, { sentDirect: 1, sentOtherErrs: 9 }));
    expect(diagnose(given(all))).toHaveLength(1);
  });
});

describe("what nobody answers, breaks, or comes twice", () => {
  test("tries without any outcome are told, with the last success", () => {
    const counted = [
      ...hourly(30, 20, "a", { ntfCreated: 3, ntfCreateAttempts: 3 }, { protocol: "ntf" }),
      ...hourly(19, 10, "a", { ntfCreateAttempts: 5 }, { protocol: "ntf" }),
    ];
    expect(diagnose(given(counted))).toMatchObject([
      { kind: "fruitless", activity: "create", servers: ["a"], attempts: 50, since: ago(19), everSucceeded: true },
    ]);
    // Control: one success at the end, and all is well.
    const ended = [...counted, { hoursAgo: 9, server: "a", protocol: "ntf", counters: { ntfCreated: 1 } }];
    expect(diagnose(given(ended))).toEqual([]);
  });

  test("connections that are lost again and again, but not those of a phone on its way", () => {
    const losing = hourly(5, 0, "a", { connectionLosses: 11, connects: 11 }, { protocol: "mqtt" });
    expect(diagnose(given(losing))).toMatchObject([
      { kind: "losing", losses: 66, hours: 6, since: ago(5), until: null },
    ]);
    const phone = hourly(200, 0, "a", { connectionLosses: 2, connects: 2 }, { protocol: "mqtt" });
    expect(diagnose(given(phone))).toEqual([]);
  });

  test("duplicates, where they are many", () => {
    const counted = hourly(9, 0, "a", { recvMsgs: 31, recvDuplicates: 17 });
    expect(diagnose(given(counted))).toMatchObject([{ kind: "duplicates", duplicates: 170, received: 310 }]);
    expect(diagnose(given(hourly(9, 0, "a", { recvMsgs: 310, recvDuplicates: 17 })))).toEqual([]);
  });
});

describe("runs of the agent", () => {
  test("crashes are counted by kind, with what they can have lost", () => {
    const sessions = [
      session("close", 90, { session: 1 }),
      session("killed", 80, { session: 2 }),
      session("exception", 70, { session: 3 }),
      session("killed", 60, { session: 5, canHaveLostMs: 2_500 }),
      session("SIGTERM", 50, { session: 6 }),
      session("running", 1, { session: 7 }),
    ];
    expect(diagnose(given([], { sessions }))).toEqual([
      {
        kind: "crashes",
        weight: expect.any(Number),
        killed: 2,
        exceptions: 1,
        rejections: 0,
        ofSessions: 6,
        canHaveLostMs: 7_500,
        first: new Date(ago(80).getTime() + HOUR_MS / 2),
        last: new Date(ago(60).getTime() + HOUR_MS / 2),
        sessions: [2, 3, 5],
      },
    ]);
    expect(diagnose(given([], { sessions: [session("killed", 24 * 31)] }))).toEqual([]);
  });

  test("crashes from before a reset of everything are over; control: from after it they are not", () => {
    const { servers } = given([]);
    const sessions = [session("killed", 10, { session: 1 }), session("exception", 8, { session: 2 })];
    const resetAt = (hoursAgo: number) =>
      diagnose({ servers: { ...servers, trackedSince: ago(hoursAgo) }, sessions, timeline: [], now: NOW });
    expect(resetAt(5)).toEqual([]);
    expect(resetAt(9)).toMatchObject([{ kind: "crashes", killed: 0, exceptions: 1, ofSessions: 1, sessions: [2] }]);
    expect(resetAt(11)).toMatchObject([{ kind: "crashes", killed: 1, exceptions: 1, ofSessions: 2 }]);
  });

  test("clocks that went back, or are behind", () => {
    const future = session("close", -48);
    expect(diagnose(given([], { sessions: [session("clock", 10), future] }))).toMatchObject([
      { kind: "clock", setBack: 1, inFuture: 1, last: future.lastSaved },
    ]);
  });

  test("an app that runs and saves nothing; erasure that waits; calls that count nothing", () => {
    const { servers } = given([]);
    const old = new Date(NOW.getTime() - 4 * 24 * HOUR_MS);
    const sessions = [session("running", 200)];
    const silent = { ...servers, lastSaved: old, erasurePending: true, rejected: { unknownCounter: 3 } };
    expect(diagnose({ servers: silent, sessions, timeline: [], now: NOW })).toMatchObject([
      { kind: "erasure-pending" },
      { kind: "stale", lastSaved: old, running: 1 },
      { kind: "rejected", calls: 3 },
    ]);
    // Control: one that does not run is not silent, it is off.
    expect(diagnose({ servers: { ...servers, lastSaved: old }, sessions: [], timeline: [], now: NOW })).toEqual([]);
  });
});

describe("since", () => {
  const began = new Date(ago(5).getTime() + 1_234_567);
  /** Tracked since some time within the first hour, by a timeline read by hour or by day. */
  const tracked = (counters: object, protocol = "smp", start = ago(5)) => {
    const { servers, timeline, ...rest } = given(hourly(5, 0, "a", { ...counters }, { protocol }));
    const rows = servers.servers.map((row) => ({ ...row, trackedSince: began }));
    const from = timeline.map((entry, i) => (i === 0 ? { ...entry, start } : entry));
    return diagnose({ ...rest, timeline: from, servers: { ...servers, trackedSince: began, servers: rows } });
  };

  test.each([
    ["smp", { sentDirect: 41, sentQuotaErrs: 9 }],
    ["ntf", { ntfCreateAttempts: 5 }],
    ["mqtt", { connectionLosses: 11 }],
    ["smp", { recvMsgs: 31, recvDuplicates: 17 }],
  ])("is not before tracking began: %s %j", (protocol, counters) => {
    expect(tracked(counters, protocol)).toMatchObject([{ since: began }]);
    expect(tracked(counters, protocol, ago(12))).toMatchObject([{ since: began }]);
  });

  test("of all servers is not before either; nor of what was never saved", () => {
    const { servers, ...rest } = given(["a", "b", "c"].flatMap((name) => hourly(0, 0, name, { sentAuthErrs: 9 })));
    const now = new Date(ago(0).getTime() + 1_234_567);
    const told = (trackedSince: Date | null) => {
      const rows = servers.servers.map((row) => ({ ...row, trackedSince }));
      return diagnose({ ...rest, timeline: [], servers: { ...servers, trackedSince: now, servers: rows } });
    };
    expect(told(now)).toMatchObject([{ kind: "failing-everywhere", since: now }]);
    expect(told(null)).toMatchObject([{ kind: "failing-everywhere", since: now }]);
  });
});

describe("numbers without a date", () => {
  test("of before history are looked at, and those not saved yet are of now", () => {
    const { servers, ...rest } = given(fine("a", 20, 0));
    const row = servers.servers[0];
    if (!row) throw new Error("no row");
    const old = { ...row, trackedSince: ago(3_000), overall: { sentDirect: 53 * 21 + 70, sentOtherErrs: 30 } };
    expect(diagnose({ ...rest, servers: { ...servers, servers: [old] }, lookBackMs: 9_999 * HOUR_MS })).toMatchObject([
      { kind: "failing", since: ago(3_000), until: ago(3_000), failed: 30, outcomes: 100 },
    ]);
    const fresh = { ...row, overall: { sentDirect: 53 * 21, sentOtherErrs: 300 } };
    expect(diagnose({ ...rest, servers: { ...servers, servers: [fresh] } })).toMatchObject([
      { kind: "failing", until: null, failed: 300 },
    ]);
  });
});

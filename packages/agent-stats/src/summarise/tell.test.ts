import { describe, expect, test } from "vitest";
import type { FailingFinding, Finding } from "./findings.ts";
import { percent, type Speaker, tell } from "./tell.ts";
import { dayText, durationText, onDayText, printable } from "./words.ts";

const now = new Date(2026, 5, 25, 14, 30);
const day = (date: number, hours = 9) => new Date(2026, 5, date, hours);
const speaker: Speaker = { now, nameOf: (server) => printable(/@([^,]+)/.exec(server)?.[1] ?? server) };
const plain = (finding: Finding) => {
  const { sentence, numbers, servers } = tell(finding, speaker);
  return [sentence, ...numbers, ...servers.map(printable)].map((line) =>
    line.replaceAll("\u00a0", " ").replaceAll("\u202f", "_"),
  );
};

const failing: FailingFinding = {
  kind: "failing",
  weight: 70,
  protocol: "smp",
  activity: "send",
  server: "smp://k@my.example,o.onion:5223",
  failed: 423,
  outcomes: 2_350,
  since: day(19),
  sinceMayBeEarlier: false,
  until: null,
  reasons: [
    { reason: "QUOTA", counter: "sentQuotaErrs", includes: [], count: 329 },
    { reason: "AUTH", counter: "sentAuthErrs", includes: [], count: 94 },
  ],
  users: [{ userId: "1", failed: 423, outcomes: 2_350 }],
  others: { servers: 2, failing: 0 },
};

describe("a server that fails", () => {
  test("is told as one would say it, and then in numbers", () => {
    expect(plain(failing)).toEqual([
      "my.example: 18 % of sends failed, mostly QUOTA, since 19 June; other servers fine",
      "smp: 423 of 2_350 failed: QUOTA 329 (sentQuotaErrs), AUTH 94 (sentAuthErrs)",
      "smp://k@my.example,o.onion:5223",
    ]);
  });

  test("tells a counter of all failures as the rest of it", () => {
    const [quota] = failing.reasons;
    const rest = { reason: "OTHER", counter: "sendErrors", includes: ["sentQuotaErrs"], count: 94 };
    const reasons = quota === undefined ? [] : [quota, rest];
    expect(plain({ ...failing, reasons })[1]).toBe(
      "smp: 423 of 2_350 failed: QUOTA 329 (sentQuotaErrs), OTHER 94 (the rest of sendErrors)",
    );
    // Control: where nothing of it has a counter of its own, it is all there is.
    expect(plain({ ...failing, reasons: [rest] })[1]).toMatch(/: OTHER 94 \(sendErrors\)$/);
  });

  test("can be told without any name", () => {
    const hiding: Speaker = { now, nameOf: () => "server 1", userOf: () => "profile 1" };
    const users = [
      { userId: "anna", failed: 423, outcomes: 900 },
      { userId: "ben", failed: 0, outcomes: 1_450 },
    ];
    for (const kind of ["failing", "failing-everywhere"] as const) {
      const finding = { ...failing, users, kind, servers: [failing.server], ofServers: 1 } as Finding;
      const { sentence, numbers } = tell(finding, hiding);
      expect([sentence, ...numbers].join()).toMatch(/server/);
      expect([sentence, ...numbers].join()).not.toMatch(/anna|ben|example/);
    }
  });

  test.each<[Partial<FailingFinding>, string]>([
    [{ until: day(20) }, "failed, mostly QUOTA, from 19 June to 20 June, and is fine since; other servers fine"],
    [{ until: day(19, 11) }, "failed, mostly QUOTA, on 19 June, and is fine since; other servers fine"],
    [{ since: day(25, 9) }, "failed, mostly QUOTA, since 09:00 today; other servers fine"],
    [{ since: day(24, 9) }, "failed, mostly QUOTA, since 09:00 yesterday; other servers fine"],
    [{ since: new Date(2025, 5, 19), sinceMayBeEarlier: true }, "since 19 June 2025 or earlier; other servers fine"],
    [{ others: { servers: 0, failing: 0 } }, "since 19 June"],
    [{ others: { servers: 1, failing: 0 } }, "since 19 June; the other server fine"],
    [{ others: { servers: 7, failing: 2 } }, "since 19 June; 2 of 7 other servers too"],
    [{ others: { servers: 1, failing: 1 } }, "since 19 June; 1 of 1 other server too"],
    [
      { reasons: [{ reason: "AUTH", counter: "e", includes: [], count: 423 }] },
      "failed, all AUTH, since 19 June; other servers fine",
    ],
    [
      { reasons: [{ reason: "OTHER", counter: "e", includes: [], count: 423 }] },
      "failed, since 19 June; other servers fine",
    ],
    [
      {
        users: [
          { userId: "7", failed: 423, outcomes: 900 },
          { userId: "1", failed: 0, outcomes: 1_450 },
        ],
      },
      "since 19 June, only for user 7; other servers fine",
    ],
    [{ activity: "acknowledge" }, "18 % of acknowledgements failed, mostly QUOTA, since 19 June; other servers fine"],
    [{ activity: "fetch" }, "18 % of “fetch” failed, mostly QUOTA, since 19 June; other servers fine"],
  ])("%j", (change, end) => {
    expect(plain({ ...failing, ...change })[0]).toMatch(new RegExp(`${end.replaceAll(/[.*+?^$()]/g, "\\$&")}$`));
  });

  test("neither a reason nor a name from others can move the cursor", () => {
    const hostile = {
      ...failing,
      server: "\u001b[2J",
      reasons: [{ reason: "\u001b", counter: "\u0007", includes: [], count: 423 }],
    };
    expect(plain(hostile).join("\n")).not.toMatch(/[^\P{Cc}\n]/u);
  });
});

describe("everything else", () => {
  const of = { weight: 1, protocol: "mqtt", activity: "connect" } as const;
  test.each<[Finding, string]>([
    [
      { ...failing, kind: "failing-everywhere", servers: ["a", "b", "c"], ofServers: 3 },
      "All 3 servers: 18 % of sends failed, mostly QUOTA, since 19 June: most often this device's own network",
    ],
    [
      { ...failing, kind: "failing-everywhere", servers: ["a", "b", "c", "d"], ofServers: 5 },
      "4 of 5 servers: 18 % of sends failed, mostly QUOTA, since 19 June: most often this device's own network",
    ],
    [
      { ...of, kind: "fruitless", servers: ["a"], ofServers: 2, attempts: 1_013, since: day(19), everSucceeded: true },
      "a: none of 1_013 tries of connections got an answer since 19 June",
    ],
    [
      { ...of, kind: "losing", servers: ["a", "b"], losses: 67, hours: 5, since: day(25), until: null },
      "2 servers: what was open was lost 67 times since 09:00 today",
    ],
    [
      { ...of, kind: "duplicates", server: "a", duplicates: 17, received: 31, since: day(19), until: null },
      "a: 55 % of what was received had been received before, since 19 June",
    ],
    [
      {
        ...{
          kind: "crashes",
          weight: 1,
          killed: 2,
          exceptions: 1,
          rejections: 0,
          ofSessions: 12,
          canHaveLostMs: 10_000,
        },
        ...{ first: day(19), last: day(24), sessions: [3, 5, 7] },
      },
      "The app crashed 3 times since 19 June, last at 09:00 yesterday: up to 10 s of counting and one save each can be missing",
    ],
    [
      { kind: "clock", weight: 1, setBack: 2, inFuture: 1, last: day(19) },
      "The clock was set back twice; 1 session saved later than it is now: the clock is behind, or was ahead; last on 19 June",
    ],
    [
      { kind: "stale", weight: 1, lastSaved: day(20), running: 1 },
      "Nothing was saved for 5 d 5 h, although the app runs: it has nothing to count, or it hangs",
    ],
    [
      { kind: "rejected", weight: 1, calls: 3, reasons: { "not a count": 3 } },
      "The app made 3 calls that counted nothing",
    ],
    [
      { kind: "erasure-pending", weight: 1 },
      "What was deleted is not erased from the file yet: somebody was reading it",
    ],
  ])("%#", (finding, sentence) => {
    expect(plain(finding)[0]).toBe(sentence);
  });

  test.each([
    [1, 10_000, "< 0.1 %"],
    [1, 300, "0.3 %"],
    [423, 2_350, "18 %"],
    [999, 1_000, "> 99 %"],
    [7, 7, "100 %"],
  ])("%d of %d is %s", (part, all, text) => {
    expect(percent(part, all).replaceAll("\u00a0", " ")).toBe(text);
  });
});

describe("a length of time", () => {
  test.each([
    [999, "999 ms"],
    [2_500, "2.5 s"],
    [90_000, "1 min 30 s"],
    [3_600_000, "1 h"],
    [51 * 3_600_000, "2 d 3 h"],
  ])("%i ms is %s", (ms, expected) => {
    expect(durationText(ms)).toBe(expected);
  });
});

test("a day is told as one says it, with the year where it is another one", () => {
  const dates = [day(25), day(24), day(19), new Date(2025, 5, 19)];
  expect(dates.map((date) => dayText(date, now))).toEqual([
    "09:00 today",
    "09:00 yesterday",
    "19 June",
    "19 June 2025",
  ]);
  expect(dates.map((date) => onDayText(date, now).slice(0, 2))).toEqual(["at", "at", "on", "on"]);
});

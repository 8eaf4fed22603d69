import { describe, expect, test } from "vitest";
import type { Evidence, KeyTruth, Reading, RunEvidence, Verdict } from "./evidence.ts";
import { judge } from "./judge.ts";
import { makePlan, type RunEnding } from "./plan.ts";

const ABOVE = "never above the truth";
const KILLS = "2 kills: short by no more than was counted in the last 1000 ms and one save";
const OTHERS = "exception, SIGTERM, close: short by nothing";
const ONCE = "each session is in the past exactly once";
const HOW = "the file tells how each session ended, and what it can have lost";
const ENDED = "each run ended as it was made to end";
const FLOWED = "messages flowed on every connection up to the end of each run";
const UNREADABLE = "no server, user, topic or counter name in any byte of the folder";
const CONTROL = "control: in a plaintext file the same search finds every one of them";
const FORGOTTEN = "after deleting alice, nothing of that user is left, even for one who has the key";
const FORGOTTEN_CONTROL = "control: before the deletion the same search finds that user";
const UNTOUCHED = "the other user is untouched";

const EXITS = {
  SIGKILL: { code: null, signal: "SIGKILL", how: "killed" },
  exception: { code: 1, signal: null, how: "exception" },
  SIGTERM: { code: null, signal: "SIGTERM", how: "SIGTERM" },
  close: { code: 0, signal: null, how: "close" },
} as const;

/** Ten messages a second from each user to the other, for four seconds a run. */
const MESSAGES = 40;
const END = 4_000;
/** A kill lost the last of them; 15 are at risk: those of its last 1.5 seconds. */
const LOST = 5;

const KEYS = ["alice", "bruno"].map((userId) => ({ userId, server: "mqtt://s:1" }));
const times = (count = MESSAGES) => Array.from({ length: count }, (_none, index) => index * 100);

function honestTruth(key: (typeof KEYS)[number]): KeyTruth {
  return {
    ...key,
    broker: { accepted: times(), delivered: times(), acknowledged: times() },
    host: { attempted: times(), sent: times(), received: times(), repeated: [50] },
  };
}

const countsOf = (n: number, duplicates: number) => ({ sendAttempts: n, sent: n, received: n, acks: n, duplicates });

/** What the file holds after so many runs, of a library that works. */
function honestReading(endings: readonly RunEnding[]): Reading {
  const kept = endings.map((ending) => MESSAGES - (ending === "SIGKILL" ? LOST : 0));
  const sum = (counts: readonly number[]) => counts.reduce((total, one) => total + one, 0);
  return {
    sessions: endings.map((ending, index) => ({
      session: index + 1,
      how: EXITS[ending].how,
      started: "2026-11-01T00:00:00.000Z",
      lastSaved: "2026-11-01T00:00:04.000Z",
      ended: ending === "SIGKILL" ? null : "2026-11-01T00:00:04.000Z",
      canHaveLostMs: ending === "SIGKILL" ? 1_000 : 0,
    })),
    servers: KEYS.map((key) => ({
      ...key,
      past: kept.length > 1 ? countsOf(sum(kept.slice(0, -1)), kept.length - 1) : {},
      session: countsOf(kept.at(-1) ?? 0, 1),
      overall: countsOf(sum(kept), kept.length),
    })),
  };
}

function honest(): Evidence {
  const endings = makePlan(true).runs.map(({ ending }) => ending);
  const names = ["alice", "bruno", "s:1", "chat/alice"];
  const scan = { files: ["stats.db"], sizeBytes: 40_960, found: [] };
  const runs = endings.map((ending, index): RunEvidence => {
    const { code, signal } = EXITS[ending];
    const reading = honestReading(endings.slice(0, index + 1));
    const truth = KEYS.map(honestTruth);
    return { run: index + 1, ending, sentForMs: END, endedAt: END, exit: { code, signal }, truth, reading, scan };
  });
  const last = honestReading(endings);
  const reading = { ...last, servers: last.servers.filter(({ userId }) => userId === "bruno") };
  return {
    flushEveryMs: 1_000,
    oneSaveMs: 500,
    runs,
    names,
    control: { files: ["the-same.json"], sizeBytes: 2_000, found: [...names] },
    forgetting: {
      userId: "alice",
      erased: "physically",
      before: { pages: 12, hits: { alice: 4, bruno: 4, "s:1": 8 }, strayServers: 4 },
      after: { pages: 11, hits: { alice: 0, bruno: 4, "s:1": 4 }, strayServers: 0 },
      scan,
      reading,
    },
  };
}

const failing = (verdicts: readonly Verdict[]) => verdicts.filter(({ ok }) => !ok).map(({ name }) => name);

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

/** The verdicts that fail when the evidence is changed like this. */
function failingWhen(falsify: (evidence: Mutable<Evidence>) => void): string[] {
  const evidence = structuredClone(honest()) as Mutable<Evidence>;
  falsify(evidence);
  return failing(judge(evidence));
}

/** Adds to a counter of alice in the file, from one run on: as if that run had counted so much more. */
function recount(evidence: Mutable<Evidence>, counter: string, from: number, change: number): void {
  for (const { run, reading } of evidence.runs) {
    const [key] = reading.servers;
    if (!key || run < from) continue;
    key.overall[counter] = (key.overall[counter] ?? 0) + change;
    if (run > from) key.past[counter] = (key.past[counter] ?? 0) + change;
  }
}

describe("the judge", () => {
  test("finds nothing wrong where nothing is", () => {
    expect(failing(judge(honest()))).toEqual([]);
    expect(judge(honest())).toHaveLength(12);
  });

  const [KILLED, THROWN, STOPPED, CLOSED] = [1, 3, 4, 5] as const;
  const truthOf = (evidence: Mutable<Evidence>, run: number) => evidence.runs[run - 1]?.truth[0] as Mutable<KeyTruth>;

  test.each<[string, string[], (evidence: Mutable<Evidence>) => void]>([
    ["one message too many in the file", [ABOVE], (e) => recount(e, "sent", THROWN, 1)],
    ["one too many even of what a kill lost", [ABOVE], (e) => recount(e, "received", KILLED, LOST + 1)],
    ["a broker accepted one less", [ABOVE], (e) => void truthOf(e, STOPPED).broker.accepted.pop()],
    ["a broker delivered one less", [ABOVE], (e) => void truthOf(e, STOPPED).broker.delivered.pop()],
    ["the host's log holds one less", [ABOVE], (e) => void truthOf(e, STOPPED).host.sent.pop()],
    ["one message too few after an exception", [OTHERS], (e) => recount(e, "sent", THROWN, -1)],
    ["one message too few after SIGTERM", [OTHERS], (e) => recount(e, "received", STOPPED, -1)],
    ["one duplicate too few after a close", [OTHERS], (e) => recount(e, "duplicates", CLOSED, -1)],
    ["a broker accepted one more", [OTHERS], (e) => void truthOf(e, THROWN).broker.accepted.push(1)],
    ["a broker saw one more acknowledged", [OTHERS], (e) => void truthOf(e, THROWN).broker.acknowledged.push(1)],
    ["the host's log holds one more", [OTHERS], (e) => void truthOf(e, THROWN).host.received.push(1)],
    ["all that a kill may cost", [], (e) => recount(e, "sent", KILLED, LOST - 15)],
    ["one more than a kill may cost", [KILLS], (e) => recount(e, "sent", KILLED, LOST - 15 - 1)],
    ["a kill that cost everything", [KILLS], (e) => recount(e, "received", KILLED, LOST - MESSAGES)],
    [
      "broker: an old message is missing after a kill",
      [KILLS],
      (e) => void truthOf(e, KILLED).broker.accepted.push(...times(11)),
    ],
    [
      "no traffic just before the kill",
      [FLOWED],
      (e) => {
        const run = e.runs[KILLED - 1];
        if (run) run.endedAt += 1_000;
      },
    ],
    [
      "a session folded twice",
      [ABOVE, ONCE],
      (e) => {
        const key = e.runs[2]?.reading.servers[0];
        if (key) key.past = countsOf(140, 4);
        recount(e, "sent", THROWN, 35);
      },
    ],
    [
      "a past that does not add up",
      [ONCE],
      (e) => {
        const key = e.runs[3]?.reading.servers[0];
        if (key) key.past.sent = 1;
      },
    ],
    ["a key that is gone", [OTHERS, ONCE, UNTOUCHED], (e) => void e.runs[4]?.reading.servers.pop()],
    [
      "a kill that looks like a close",
      [HOW],
      (e) => {
        const session = e.runs[4]?.reading.sessions[0];
        if (session) session.how = "close";
      },
    ],
    [
      "a kill without its bound",
      [HOW],
      (e) => {
        const session = e.runs[4]?.reading.sessions[0];
        if (session) session.canHaveLostMs = 0;
      },
    ],
    ["a session too few", [HOW], (e) => void e.runs[4]?.reading.sessions.pop()],
    [
      "a host that closed with an error",
      [ENDED],
      (e) => {
        const run = e.runs[4];
        if (run) run.exit.code = 1;
      },
    ],
    [
      "a host that survived SIGTERM",
      [ENDED],
      (e) => {
        const run = e.runs[3];
        if (run) run.exit = { code: 0, signal: null };
      },
    ],
    ["a name on the disk after a run", [UNREADABLE], (e) => void e.runs[0]?.scan.found.push("bruno")],
    [
      "a search in an empty folder",
      [UNREADABLE],
      (e) => {
        e.forgetting.scan.sizeBytes = 0;
      },
    ],
    ["a search that finds nothing anywhere", [CONTROL], (e) => void e.control.found.pop()],
    [
      "erased only logically",
      [FORGOTTEN],
      (e) => {
        e.forgetting.erased = "logically";
      },
    ],
    [
      "a name in a page",
      [FORGOTTEN],
      (e) => {
        e.forgetting.after.hits.alice = 1;
      },
    ],
    [
      "a server of nobody in a page",
      [FORGOTTEN],
      (e) => {
        e.forgetting.after.strayServers = 1;
      },
    ],
    [
      "a deleted user who is still counted",
      [FORGOTTEN],
      (e) => {
        e.forgetting.reading = structuredClone(e.runs[4]?.reading) as Mutable<Reading>;
      },
    ],
    [
      "a page search that is blind",
      [FORGOTTEN_CONTROL],
      (e) => {
        e.forgetting.before = { pages: 12, hits: {}, strayServers: 0 };
      },
    ],
    [
      "another user who lost a number",
      [UNTOUCHED],
      (e) => {
        const key = e.forgetting.reading.servers[0];
        if (key) key.overall.sent = 1;
      },
    ],
    [
      "another user who is gone too",
      [UNTOUCHED],
      (e) => {
        e.forgetting.reading.servers = [];
      },
    ],
  ])("%s", (_what, expected, falsify) => {
    expect(failingWhen(falsify)).toEqual(expected);
  });
});

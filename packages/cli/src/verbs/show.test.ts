import { stripVTControlCharacters } from "node:util";
import type { Numbers, ServerStats, ServersStats, Session } from "agent-stats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cells } from "../text/cells.ts";
import { showJson, showText } from "./show.ts";

const now = new Date(2026, 5, 9, 12, 3, 4);
const before = (ms: number) => new Date(now.getTime() - ms);
const PLAIN = { width: 80, colour: false };
/** Thin spaces are hard to see in a test. */
const visible = (text: string) => text.replaceAll("\u202f", "_").split("\n");

function server(given: Partial<ServerStats>): ServerStats {
  const { past = {}, session = {} } = given;
  const value = (numbers: Numbers, name: string) => (Object.hasOwn(numbers, name) ? (numbers[name] ?? 0) : 0);
  const names = [...Object.keys(past), ...Object.keys(session)];
  const overall = Object.fromEntries(names.map((name) => [name, value(past, name) + value(session, name)]));
  const key = { protocol: "chat", userId: "1", server: "mqtts://a.example", trackedSince: before(0) };
  return { ...key, past, session, overall, live: {}, ...given };
}

function stats(servers: readonly ServerStats[], given: Partial<ServersStats> = {}): ServersStats {
  return { trackedSince: before(60_000), lastSaved: before(2_000), sessions: [], servers, rejected: {}, ...given };
}

const killed: Session = {
  session: 3,
  started: before(60_000),
  lastSaved: before(30_000),
  ended: null,
  how: "killed",
  canHaveLostMs: 5_000,
};

describe("show", () => {
  test("past, session and overall of each counter stand in their columns", () => {
    const chat = server({
      past: { sent: 1_009, bytesSent: 1_234_567, sendErrors: 3 },
      session: { sent: 13, attempts: 17 },
    });
    expect(visible(showText(stats([chat]), PLAIN, now))).toEqual([
      "tracked since  2026-06-09 12:02:04 (1 min ago)",
      "last saved     2026-06-09 12:03:02 (2 s ago)",
      "sessions       none",
      "",
      "user 1",
      "",
      "  mqtts://a.example",
      "    chat           past  session  overall",
      "    attempts          0       17       17",
      "    sendErrors        3        0        3",
      "    sent          1_009       13    1_022",
      "    bytesSent   1.23 MB      0 B  1.23 MB",
      "",
    ]);
  });

  test("users are told apart once each, servers too, and protocols of one server stand below each other", () => {
    const given = [
      server({ userId: "10", past: { n: 1 } }),
      server({ protocol: "files", past: { n: 2 } }),
      server({ past: { n: 3 } }),
      server({ userId: "2", server: "b", past: { n: 4 } }),
      server({ userId: "2", past: { n: 5 } }),
    ];
    expect(visible(showText(stats(given), PLAIN, now)).slice(4)).toEqual([
      "user 1",
      "",
      "  mqtts://a.example",
      "    chat   past  session  overall",
      "    n         3        0        3",
      "",
      "    files  past  session  overall",
      "    n         2        0        2",
      "",
      "user 2",
      "",
      "  b",
      "    chat   past  session  overall",
      "    n         4        0        4",
      "",
      "  mqtts://a.example",
      "    chat   past  session  overall",
      "    n         5        0        5",
      "",
      "user 10",
      "",
      "  mqtts://a.example",
      "    chat   past  session  overall",
      "    n         1        0        1",
      "",
    ]);
  });

  test("totals of deleted users come last, without a name or a server", () => {
    const given = [server({ userId: "", server: "", past: { n: 1 } }), server({ past: { n: 2 } })];
    expect(visible(showText(stats(given), PLAIN, now)).slice(-6)).toEqual([
      "deleted users",
      "",
      "  all servers",
      "    chat  past  session  overall",
      "    n        1        0        1",
      "",
    ]);
  });

  test("sessions without a goodbye are told with what they can have lost", () => {
    const [, , ...lines] = visible(showText(stats([], { sessions: [killed, killed] }), PLAIN, now));
    expect(lines.slice(0, 2)).toEqual([
      "sessions       2, of which 2 ended without a goodbye: up to 10 s of counting and",
      "               one save each can be missing",
    ]);
  });

  test("what lies before a reset of everything is not found fault with", () => {
    const reset = stats([], { trackedSince: before(10_000), lastSaved: before(30_000), sessions: [killed] });
    expect(visible(showText(reset, PLAIN, now)).slice(0, 3)).toEqual([
      "tracked since  2026-06-09 12:02:54 (10 s ago)",
      "last saved     not since",
      "sessions       none",
    ]);
    expect(showJson(reset)).toMatchObject({
      sessions: [killed],
      endedWithoutGoodbye: { sessions: 0, canHaveLostMs: 0 },
    });
    const running = { ...killed, how: "running" as const };
    expect(showText({ ...reset, sessions: [running] }, PLAIN, now)).toContain("1, of which 1 is running");
  });

  test("nothing counted yet", () => {
    const empty = stats([], { trackedSince: new Date(0), lastSaved: null });
    expect(visible(showText(empty, PLAIN, now))).toEqual([
      "tracked since  never",
      "last saved     never",
      "sessions       none",
      "",
      "Nothing has been counted yet.",
      "",
    ]);
    expect(showJson(empty)).toMatchObject({ trackedSince: null, lastSaved: null, servers: [] });
  });

  test("a server of two lines is shown whole, and on a wide terminal in one", () => {
    const name = `smp://${"h".repeat(43)}=@smp8.example,${"o".repeat(40)}.onion:5223`;
    const lines = (width: number) =>
      visible(showText(stats([server({ server: name })]), { width, colour: false }, now));
    expect(lines(80).slice(6, 8)).toEqual([
      `  smp://${"h".repeat(43)}=@smp8.example,`,
      `  ${"o".repeat(40)}.onion:5223`,
    ]);
    expect(lines(120)[6]).toBe(`  ${name}`);
  });

  test("a name cannot move the cursor", () => {
    const hostile = server({
      userId: "\u001b[2J",
      server: "\u001b]0;x\u0007",
      protocol: "\n",
      past: { "\u001b[31m": 1 },
    });
    expect(showText(stats([hostile]), PLAIN, now)).not.toMatch(/[^\P{Cc}\n]/u);
  });

  test("colour is an addition: without it the same text is left", () => {
    const given = stats([server({ past: { sent: 1 } })], { sessions: [killed] });
    const coloured = showText(given, { width: 80, colour: true }, now);
    expect(coloured).toContain("\u001b[");
    const stripped = stripVTControlCharacters(coloured).replaceAll(/ +$/gm, "");
    expect(stripped).toBe(showText(given, PLAIN, now));
  });

  test("no line is wider than the terminal, whatever is counted of whom", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 300 });
    const numbers = fc.dictionary(text, fc.maxSafeNat(), { maxKeys: 5 });
    const servers = fc.array(
      fc.record({ userId: text, server: text, protocol: text, past: numbers, session: numbers }).map(server),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(servers, fc.integer({ min: 80, max: 200 }), (given, width) => {
        const lines = showText(stats(given, { sessions: [killed] }), { width, colour: false }, now).split("\n");
        expect(Math.max(...lines.map(cells))).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe("show --json", () => {
  test("holds every number exactly, and nothing that a file cannot know", () => {
    const big = server({ past: { bytesSent: Number.MAX_SAFE_INTEGER }, live: { connected: 1 } });
    const json = JSON.parse(JSON.stringify(showJson(stats([big], { sessions: [killed] }))));
    expect(json).toEqual({
      trackedSince: before(60_000).toISOString(),
      lastSaved: before(2_000).toISOString(),
      sessions: [
        {
          session: 3,
          started: killed.started.toISOString(),
          lastSaved: killed.lastSaved.toISOString(),
          ended: null,
          how: "killed",
          canHaveLostMs: 5_000,
        },
      ],
      endedWithoutGoodbye: { sessions: 1, canHaveLostMs: 5_000 },
      servers: [
        {
          protocol: "chat",
          userId: "1",
          server: "mqtts://a.example",
          trackedSince: before(0).toISOString(),
          past: { bytesSent: Number.MAX_SAFE_INTEGER },
          session: {},
          overall: { bytesSent: Number.MAX_SAFE_INTEGER },
        },
      ],
    });
  });
});

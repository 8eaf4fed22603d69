import type { ServerStats, ServersStats } from "agent-stats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cells } from "./cells.ts";
import { counterName, type Live, liveFrame } from "./live.ts";

const now = new Date(2026, 5, 9, 12, 3, 4);
const row = (server: string, overall: Record<string, number>, session = overall): ServerStats => ({
  ...{ protocol: "chat", userId: "1", server, trackedSince: now, past: {}, session, overall, live: {} },
});
const stats = (...servers: ServerStats[]): ServersStats => ({
  ...{ trackedSince: now, lastSaved: new Date(now.getTime() - 2_000), sessions: [], servers, rejected: {} },
});
const live = (given: Partial<Live>): Live => ({
  ...{ name: "stats.db", now, stats: null, before: null, changed: new Set<string>() },
  ...{ problem: null, paused: false, onlyChanged: false, scroll: 0 },
  ...given,
});
const SIZE = { columns: 80, rows: 14, colour: false };
const lines = (given: Live, size = SIZE) => liveFrame(given, size).lines.map((line) => line.replaceAll("\u202f", "_"));

describe("the live screen", () => {
  const before = stats(row("a.example", { sent: 1_009, failed: 3 }), row("b.example", { sent: 7 }));
  const after = stats(row("a.example", { sent: 1_020, failed: 3 }, { sent: 13 }), row("b.example", { sent: 7 }));

  test("tells what is new since it began, session and overall", () => {
    expect(lines(live({ stats: after, before }))).toEqual([
      "stats.db  12:03:04",
      "last saved 2026-06-09 12:03:02 (2 s ago)",
      "sessions   0",
      "",
      "user 1",
      "  a.example",
      "    chat    new  session  overall",
      "    failed    ·        0        3",
      "    sent    +11       13    1_020",
      "  b.example",
      "    chat    new  session  overall",
      "    sent      ·        7        7",
      "",
      "q quit  p pause  c changed only  ↑↓ scroll",
    ]);
  });

  test("a server whose address does not fit is told by its host, which stands in the middle", () => {
    const address = (host: string) => `smp://${"k".repeat(43)}=@${host}.example,${"o".repeat(56)}.onion:5223`;
    const shown = (size: typeof SIZE) =>
      lines(live({ stats: stats(row(address("a"), { n: 1 }), row(address("b"), { n: 1 })) }), size);
    expect(shown(SIZE).filter((line) => /^ {2}\S/.test(line))).toEqual(["  a.example", "  b.example"]);
    expect(shown({ ...SIZE, columns: 140 })).toContain(`  ${address("b")}`);
  });

  test("c leaves only what changed", () => {
    const shown = lines(live({ stats: after, before, onlyChanged: true }));
    expect(shown.slice(4, 9)).toEqual([
      "user 1",
      "  a.example",
      "    chat  new  session  overall",
      "    sent  +11       13    1_020",
      "",
    ]);
    expect(lines(live({ stats: before, before, onlyChanged: true }))[4]).toBe("Nothing has changed yet.");
  });

  test("what is on is said above, and below how to end it", () => {
    const shown = lines(live({ stats: after, before, onlyChanged: true, paused: true }));
    expect(shown[0]).toBe("stats.db  12:03:04  paused  changed only");
    expect(shown.at(-1)).toBe("q quit  p go on  c show all  ↑↓ scroll");
  });

  test("a reset is less than before; what cannot be read now is said, over what was read last", () => {
    const reset = stats(row("a.example", { sent: 2 }));
    expect(lines(live({ stats: reset, before }))[7]).toBe("    sent  −1_007        2        2");
    const shown = lines(live({ stats: after, before, problem: "it was moved [STATS_MOVED]", paused: true }));
    expect(shown[0]).toBe("stats.db  12:03:04  paused");
    expect(shown[2]).toBe("it was moved [STATS_MOVED]");
    expect(shown[8]).toContain("1_020");
  });

  test("what changed just now is marked, on a terminal with colour", () => {
    const changed = new Set([counterName(after.servers[0] as ServerStats, "sent")]);
    const { lines: shown } = liveFrame(live({ stats: after, before, changed }), { ...SIZE, colour: true });
    expect(shown[8]).toContain("\u001b[32m");
    expect(shown[7]).not.toContain("\u001b[32m");
  });

  test("fits the screen at any size, and scrolls to its last line", () => {
    const servers = fc.array(fc.tuple(fc.string({ unit: "grapheme", maxLength: 200 }), fc.nat()), { maxLength: 30 });
    fc.assert(
      fc.property(
        servers,
        fc.integer({ min: 60, max: 200 }),
        fc.integer({ min: 6, max: 60 }),
        (given, columns, rows) => {
          const now = stats(...given.map(([name, sent]) => row(name, { sent, last: 1 })));
          const top = liveFrame(live({ stats: now }), { columns, rows, colour: false });
          const end = liveFrame(live({ stats: now, scroll: 9_999 }), { columns, rows, colour: false });
          expect(top.lines).toHaveLength(rows);
          for (const line of [...top.lines, ...end.lines]) expect(cells(line)).toBeLessThanOrEqual(columns);
          if (top.mostScroll > 0) expect(end.lines.at(-2)).toMatch(/\S/);
        },
      ),
    );
  });
});

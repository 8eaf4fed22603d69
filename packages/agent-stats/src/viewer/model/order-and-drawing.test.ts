import { describe, expect, test } from "vitest";
import { mqtt } from "../../agents/mqtt.ts";
import type { TimelineEntry } from "../../summarise/timeline.ts";
import { meterOf } from "./figures.ts";
import { BOX, lineOf } from "./line.ts";
import { ALL, dataOf, HOUR_MS, key, NOW, SMP } from "./model.testing.ts";
import { namesOf } from "./names.ts";
import { type Order, ordered } from "./order.ts";
import { rowsOf } from "./select.ts";
import { barOf } from "./spans.ts";
import { type Told, verdictOf } from "./verdict.ts";

describe("the order of servers", () => {
  const at = (server: string, numbers: Record<string, number>) => key("mqtt", "anna", server, numbers);
  const servers = [
    at(SMP, { sent: 1, sendErrors: 99 }),
    at("mqtts://busy.example", { sent: 900 }),
    at("mqtts://b.example", { sent: 9 }),
    at("mqtts://a.example", { sent: 9 }),
    at("mqtts://few.example", { sent: 1, sendErrors: 1 }),
    at("mqtts://failing.example", { sent: 800, sendErrors: 200 }),
  ];
  const start = new Date(NOW - HOUR_MS);
  const timeline = servers.map(({ overall, ...each }): TimelineEntry => ({ ...each, start, counters: overall }));
  const data = dataOf(servers, timeline);
  const names = namesOf(
    servers.map(({ server }) => server),
    ["anna"],
    false,
  );
  const rows = rowsOf(data, ALL, new Set(), meterOf(servers, [mqtt]), NOW);
  const orderOf = (order: Order | null, verdict: readonly Told[] | null) =>
    ordered(rows, order, names, verdict).map(({ server }) => server.replace(/^mqtts:\/\/|\.example$/g, ""));

  test("is one's own first, what is wrong now before a higher rate, and the same for the same numbers", () => {
    const verdict = verdictOf(data, ALL, new Set(), [mqtt], names, NOW);
    const failing = (verdict ?? []).filter(({ servers }) => servers.includes("mqtts://failing.example"));
    expect(failing).toHaveLength(1);
    expect(orderOf(null, failing)).toEqual(["failing", "few", "busy", "a", "b", SMP]);
    const isOver = failing.map((told) => ({ ...told, now: false }));
    for (const verdict of [null, isOver])
      expect(orderOf(null, verdict)).toEqual(["few", "failing", "busy", "a", "b", SMP]);
  });

  test("is that of a column once one is chosen, whoever's they are", () => {
    expect(orderOf({ column: "rate", down: true }, null).slice(0, 3)).toEqual([SMP, "few", "failing"]);
    expect(orderOf({ column: "sent", down: false }, null)).toEqual(["few", SMP, "a", "b", "failing", "busy"]);
  });
});

describe("what is drawn", () => {
  test("shows each session, however short, and within its column", () => {
    const [begin, end] = [NOW - 240 * HOUR_MS, NOW];
    const session = (from: number, to: number) => {
      const lastSaved = new Date(NOW - to);
      return barOf({ started: new Date(NOW - from), ended: null, lastSaved }, begin, end);
    };
    const bars = [session(2_000, 0), session(0, 0), session(240 * HOUR_MS, 240 * HOUR_MS), session(HOUR_MS, -HOUR_MS)];
    for (const { from, width } of bars) {
      expect(from).toBeGreaterThanOrEqual(0);
      expect(width).toBeGreaterThan(1);
      expect(from + width).toBeLessThanOrEqual(100);
    }
    expect(session(240 * HOUR_MS, 120 * HOUR_MS)).toEqual({ from: 0, width: 50 });
  });

  test("is a line from the first value that is known, and of one value alone a dot within the box", () => {
    expect(lineOf([])).toEqual([]);
    expect(lineOf([null, null])).toEqual([]);
    expect(lineOf([null, 0, 4]).map(([x]) => x)).toEqual([BOX.width / 2, BOX.width]);
    for (const values of [[7], [0], [null, null, 7]]) {
      const [[x, y] = [-1, -1], ...others] = lineOf(values);
      expect(others).toEqual([]);
      expect([x > BOX.width / 2 && x < BOX.width, y > 2 && y < BOX.height - 2]).toEqual([true, true]);
    }
  });

  test("leads from a crash to the sessions", () => {
    const killed = {
      ...{ session: 8, started: new Date(NOW - HOUR_MS), lastSaved: new Date(NOW - 60_000), ended: null },
      ...{ how: "killed" as const, canHaveLostMs: 5_000, log: [], servers: [] },
    };
    const data = { ...dataOf([]), sessions: [killed] };
    const [told] = verdictOf(data, ALL, new Set(), [], namesOf([], [], false), NOW) ?? [];
    expect(told).toMatchObject({ sessions: [8], servers: [] });
    expect(told?.evidence).toContain("session 8");
  });
});

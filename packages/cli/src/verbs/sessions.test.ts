import type { LogLine, Session, SessionWithCounts } from "agent-stats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cells } from "../text/cells.ts";
import { sessionsJson, sessionsText } from "./sessions.ts";

const at = (second: number) => new Date(2026, 5, 9, 12, 0, second);

type Shown = Session & Pick<SessionWithCounts, "log">;

const killed: Shown = {
  log: [],
  session: 1,
  started: at(0),
  lastSaved: at(3),
  ended: null,
  how: "killed",
  canHaveLostMs: 2_500,
};
const closed: Shown = {
  log: [],
  session: 2,
  started: at(4),
  lastSaved: at(7),
  ended: at(7),
  how: "close",
  canHaveLostMs: 0,
};
const running: Shown = { ...closed, session: 3, ended: null, how: "running" };

const lines = (width: number, found: readonly Shown[]) => sessionsText(found, { width, colour: false }).split("\n");

describe("sessions", () => {
  test("each in a line, in 80 cells", () => {
    expect(lines(80, [killed, closed, running])).toEqual([
      "sessions  3, of which 1 is running and 1 ended without a goodbye: up to 2.5 s of",
      "          counting and one save can be missing",
      "",
      "#  started              ended                how                  missing",
      "1  2026-06-09 12:00:00  –                    killed (no goodbye)  ≤ 2.5 s + save",
      "2  2026-06-09 12:00:04  2026-06-09 12:00:07  closed               nothing",
      "3  2026-06-09 12:00:04  –                    running              –",
      "",
    ]);
  });

  test("with more of each where there is room", () => {
    expect(lines(120, [killed, closed]).slice(2, 5)).toEqual([
      "#  started              last saved           ended                ran for  how                  missing",
      "1  2026-06-09 12:00:00  2026-06-09 12:00:03  –                      > 3 s  killed (no goodbye)  ≤ 2.5 s + save",
      "2  2026-06-09 12:00:04  2026-06-09 12:00:07  2026-06-09 12:00:07      3 s  closed               nothing",
    ]);
  });

  test("without seconds where they would not fit", () => {
    expect(lines(66, [{ ...killed, session: 1234 }]).slice(3, 5)).toEqual([
      "   #  started           ended  how                  missing",
      "1234  2026-06-09 12:00  –      killed (no goodbye)  ≤ 2.5 s + save",
    ]);
  });

  test("with what was folded, deleted and reset", () => {
    const log: LogLine[] = [
      { at: at(5), what: "fold", of: 1, by: 2 },
      { at: at(6), what: "delete", of: "user", by: 2 },
      { at: at(6), what: "reset", of: "everything", by: null },
      { at: at(7), what: "reset", of: "protocol+server", by: 2 },
      { at: at(8), what: "anonymise", of: "user", by: 2 },
    ];
    expect(lines(80, [{ ...closed, log }]).slice(4)).toEqual([
      "",
      "2026-06-09 12:00:05  session 1 added to the past       by session 2",
      "2026-06-09 12:00:06  a user deleted                    by session 2",
      "2026-06-09 12:00:06  everything reset                  by a tool or the host",
      "2026-06-09 12:00:07  one protocol and server reset     by session 2",
      "2026-06-09 12:00:08  a user deleted, but for the sums  by session 2",
      "",
    ]);
    const many = Array.from({ length: 12 }, (_, second): LogLine => ({ at: at(second), what: "fold", of: 1, by: 2 }));
    const shown = lines(80, [{ ...closed, log: many }]).slice(4);
    expect(shown.slice(0, 2)).toEqual(["", "and 2 earlier lines, shown by --json"]);
    expect(shown.filter((line) => line.includes("added"))).toHaveLength(10);
    expect(lines(80, [{ ...closed, log: many.slice(1) }])).toContain("and 1 earlier line, shown by --json");
  });

  test("none", () => {
    expect(lines(80, [])).toEqual(["sessions  none", ""]);
  });

  test("no line is wider than the terminal", () => {
    const date = fc.date({ min: new Date(0), max: new Date(8.64e15), noInvalidDate: true });
    const how = fc.constantFrom<Session["how"]>("killed", "running", "close", "rejection", "SIGTERM");
    const line = fc.record<LogLine>({
      at: date,
      what: fc.constantFrom("fold", "delete", "anonymise", "reset"),
      of: fc.constantFrom<LogLine["of"]>(99_999, "everything", "protocol+user+server"),
      by: fc.constantFrom(null, 99_999),
    });
    const session = fc.record({
      log: fc.array(line, { maxLength: 3 }),
      session: fc.integer({ min: 1, max: 99_999 }),
      started: date,
      lastSaved: date,
      ended: fc.option(date),
      how,
      canHaveLostMs: fc.integer({ min: 0, max: 86_400_000 }),
    });
    fc.assert(
      fc.property(fc.array(session, { maxLength: 5 }), fc.integer({ min: 80, max: 200 }), (found, width) => {
        expect(Math.max(...lines(width, found).map(cells))).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe("sessions --json", () => {
  test("the library's list, and the sums of the losses", () => {
    const sessions = [killed, closed].map((session) => ({ ...session, servers: [] }));
    expect(sessionsJson(sessions)).toEqual({
      sessions,
      endedWithoutGoodbye: { sessions: 1, canHaveLostMs: 2_500 },
    });
  });
});

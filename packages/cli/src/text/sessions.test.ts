import type { Session } from "agent-stats";
import { describe, expect, test } from "vitest";
import { formatHow, formatLoss, formatSessions, lossesOf } from "./sessions.ts";

const session = (how: Session["how"], canHaveLostMs = 0): Session => ({
  session: 1,
  started: new Date(0),
  lastSaved: new Date(0),
  ended: null,
  how,
  canHaveLostMs,
});

describe("one session", () => {
  test.each([
    ["killed", 2_500, "killed (no goodbye)", "≤ 2.5 s + save"],
    ["close", 0, "closed", "nothing"],
    ["SIGTERM", 0, "ended by SIGTERM", "nothing"],
    ["running", 0, "running", "–"],
  ] as const)("%s", (how, lostMs, sentence, loss) => {
    expect(formatHow(session(how, lostMs))).toBe(sentence);
    expect(formatLoss(session(how, lostMs))).toBe(loss);
  });

  test("that ended in a way that only a later version knows", () => {
    expect(formatHow(session("abducted\u001b" as Session["how"]))).toBe("abducted\\u{1b}");
    expect(formatHow(session("constructor" as Session["how"]))).toBe("constructor");
  });
});

describe("all sessions", () => {
  // Sentences carry no-break spaces until they are wrapped.
  const sentence = (...all: Session[]) => formatSessions(all).replaceAll("\u00a0", " ");

  test("none", () => {
    expect(sentence()).toBe("none");
  });

  test("each with a goodbye", () => {
    expect(sentence(session("close"), session("exit"))).toBe("2, each ended with a goodbye");
  });

  test("some running", () => {
    expect(sentence(session("running"))).toBe("1, of which 1 is running");
    expect(sentence(session("running"), session("running"))).toBe("2, of which 2 are running");
  });

  test("some killed: what they can have lost is summed up", () => {
    const all = [session("killed", 5_000), session("killed", 2_500), session("running"), session("close")];
    expect(lossesOf(all)).toEqual({ sessions: 2, canHaveLostMs: 7_500 });
    expect(sentence(...all)).toBe(
      "4, of which 1 is running and 2 ended without a goodbye: up to 7.5 s of counting and one save each can be missing",
    );
  });
});

import type { Diagnosable, Finding } from "./findings.ts";
import type { Session } from "./sessions.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Two clocks that are both right differ by less. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
/** A weekend and a day: an app that nobody uses saves nothing, as idle costs nothing. */
const STALE_AFTER_MS = 3 * DAY_MS;

/** What the runs of the agent tell: crashes, clocks, silence, and what is left to erase. */
export function runFindings({ servers, sessions, now }: Diagnosable, since: number): Finding[] {
  const recent = sessions.filter((session) => lastHeardOf(session).getTime() >= since);
  // A reset of everything is a new beginning: nobody misses what was counted before it.
  const isSince = (session: Session) => lastHeardOf(session) >= servers.trackedSince;
  return [
    crashes(recent.filter(isSince), now),
    clock(recent, now),
    stale(servers.lastSaved, sessions, now),
    servers.erasurePending ? ({ kind: "erasure-pending", weight: 60 } as const) : null,
    rejected(servers.rejected),
  ].filter((finding) => finding !== null);
}

function crashes(sessions: readonly Session[], now: Date): Finding | null {
  const crashed = sessions.filter(({ how }) => how === "killed" || how === "exception" || how === "rejection");
  const [first, last] = [crashed[0], crashed.at(-1)];
  if (!first || !last) return null;
  const count = (wanted: Session["how"]) => crashed.filter(({ how }) => how === wanted).length;
  const times = crashed.map((session) => lastHeardOf(session).getTime());
  const latest = Math.max(...times);
  return {
    kind: "crashes",
    // One kill is how phones end apps; several, and late ones, are a bug.
    weight: Math.min(25 + 5 * crashed.length, 50) + (now.getTime() - latest < DAY_MS ? 8 : 0),
    killed: count("killed"),
    exceptions: count("exception"),
    rejections: count("rejection"),
    ofSessions: sessions.length,
    canHaveLostMs: crashed.reduce((sum, { canHaveLostMs }) => sum + canHaveLostMs, 0),
    first: new Date(Math.min(...times)),
    last: new Date(latest),
    sessions: crashed.map(({ session }) => session),
  };
}

function clock(sessions: readonly Session[], now: Date): Finding | null {
  const latest = now.getTime() + CLOCK_TOLERANCE_MS;
  const setBack = sessions.filter(({ how }) => how === "clock");
  const inFuture = sessions.filter((session) => lastHeardOf(session).getTime() > latest);
  const odd = [...setBack, ...inFuture];
  if (odd.length === 0) return null;
  const last = new Date(Math.max(...odd.map((session) => lastHeardOf(session).getTime())));
  return {
    kind: "clock",
    weight: inFuture.length > 0 ? 40 : 20,
    setBack: setBack.length,
    inFuture: inFuture.length,
    last,
  };
}

function stale(lastSaved: Date | null, sessions: readonly Session[], now: Date): Finding | null {
  const running = sessions.filter(({ how }) => how === "running").length;
  if (running === 0 || lastSaved === null || now.getTime() - lastSaved.getTime() < STALE_AFTER_MS) return null;
  return { kind: "stale", weight: 30, lastSaved, running };
}

function rejected(reasons: Readonly<Record<string, number>>): Finding | null {
  const calls = Object.values(reasons).reduce((sum, count) => sum + count, 0);
  return calls === 0 ? null : { kind: "rejected", weight: 15, calls, reasons };
}

/** When a session was surely still there. */
function lastHeardOf({ started, lastSaved, ended }: Session): Date {
  return new Date(Math.max(started.getTime(), lastSaved.getTime(), ended?.getTime() ?? 0));
}

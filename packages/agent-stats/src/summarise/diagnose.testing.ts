/** For tests of what is wrong: history hour by hour, and the sums that belong to it. */
import type { Diagnosable } from "./findings.ts";
import { type Numbers, Tally } from "./numbers.ts";
import type { Session } from "./sessions.ts";
import type { TimelineEntry } from "./timeline.ts";

export const HOUR_MS = 3_600_000;
export const NOW = new Date("2026-06-21T12:30:00Z");
/** The beginning of the hour that was so many hours ago. */
export const ago = (hours: number) => new Date(Math.floor(NOW.getTime() / HOUR_MS) * HOUR_MS - hours * HOUR_MS);

export interface Counted {
  readonly hoursAgo: number;
  readonly server: string;
  readonly counters: Numbers;
  readonly protocol?: string;
  readonly userId?: string;
}

/** What a reader gives where exactly this was counted. */
export function given(counted: readonly Counted[], more: Partial<Diagnosable> = {}): Diagnosable {
  const timeline: TimelineEntry[] = counted
    .map(({ hoursAgo, server, counters, protocol = "smp", userId = "1" }) => ({
      start: ago(hoursAgo),
      protocol,
      userId,
      server,
      counters,
    }))
    .sort((a, b) => a.start.getTime() - b.start.getTime());
  const keys = new Map<string, { first: TimelineEntry; sum: Tally }>();
  for (const entry of timeline) {
    const name = JSON.stringify([entry.protocol, entry.userId, entry.server]);
    const key = keys.get(name) ?? { first: entry, sum: new Tally() };
    keys.set(name, key);
    key.sum.addAll(entry.counters);
  }
  const servers = [...keys.values()].map(({ first: { protocol, userId, server, start }, sum }) => {
    const overall = sum.numbers();
    return { protocol, userId, server, trackedSince: start, past: overall, session: {}, overall, live: {} };
  });
  const trackedSince = timeline[0]?.start ?? new Date(0);
  const stats = { trackedSince, lastSaved: NOW, sessions: [], servers, rejected: {} };
  return { servers: stats, sessions: [], timeline, now: NOW, ...more };
}

/** The same in each of the hours. */
export function hourly(from: number, to: number, server: string, counters: Numbers, more: Partial<Counted> = {}) {
  return Array.from({ length: from - to + 1 }, (_, i): Counted => ({ hoursAgo: from - i, server, counters, ...more }));
}

export function session(how: Session["how"], hoursAgo: number, more: Partial<Session> = {}): Session {
  const started = ago(hoursAgo);
  const lastSaved = new Date(started.getTime() + HOUR_MS / 2);
  const ended = how === "killed" || how === "running" ? null : lastSaved;
  return { session: 1, started, lastSaved, ended, how, canHaveLostMs: how === "killed" ? 5_000 : 0, ...more };
}

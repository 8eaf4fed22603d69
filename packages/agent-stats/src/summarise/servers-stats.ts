import type { Recorded, RecordedServer } from "../record/recorder.ts";
import type { KeyRow, SessionRow, Sums } from "../store/store.ts";
import { type Numbers, Tally } from "./numbers.ts";
import { type Session, sessionOf } from "./sessions.ts";

/** One key: what its counters stood at before this session, what this session added, and both. */
export interface ServerStats {
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  /** Since when this key is counted; null while it was never saved. */
  readonly trackedSince: Date | null;
  readonly past: Numbers;
  readonly session: Numbers;
  readonly overall: Numbers;
  /** Live gauges; empty for a reader of a file, which sees no live value. */
  readonly live: Numbers;
}

/** Everything that is known, at one moment. */
export interface ServersStats {
  /** When tracking began; a reset of everything moves it. */
  readonly trackedSince: Date;
  /** When anything was last saved; null before the first save. */
  readonly lastSaved: Date | null;
  /** Every session that history still holds, oldest first. */
  readonly sessions: readonly Session[];
  readonly servers: readonly ServerStats[];
  /** Calls to `add`, `set` and `server` that counted nothing, by reason. */
  readonly rejected: Numbers;
  /** True while old pages of the file may still hold what was deleted or reset, as somebody was reading it. */
  readonly erasurePending?: boolean;
}

/**
 * Joins what a store holds with what a recorder counted. Without a recorder (a reader of the file) the session is what
 * the sessions that are not folded yet have saved.
 */
export function serversStats(sums: Sums, sessions: readonly SessionRow[], recorded: Recorded | null): ServersStats {
  const servers = new Map<string, ServerStats>();
  const rows = sumsByKey(sums);
  for (const key of sums.keys) {
    const row = rows.get(key.key);
    const [past, open] = [row?.past.numbers() ?? {}, row?.open.numbers() ?? {}];
    const stored = recorded ? stats(key, added(past, open), {}) : stats(key, past, open);
    servers.set(nameOf(key), stored);
  }
  for (const counted of recorded?.servers ?? []) {
    const stored = servers.get(nameOf(counted));
    servers.set(nameOf(counted), {
      ...stats(stored ?? counted, stored?.past ?? {}, counted.session),
      live: counted.live,
    });
  }
  return {
    trackedSince: new Date(sums.trackedSince),
    lastSaved: sums.lastSaved === null ? null : new Date(sums.lastSaved),
    sessions: sessions.map(sessionOf),
    servers: [...servers.values()],
    rejected: recorded?.rejected ?? {},
    ...(sums.erasurePending && { erasurePending: true }),
  };
}

function stats(key: KeyRow | RecordedServer | ServerStats, past: Numbers, session: Numbers): ServerStats {
  const { protocol, userId, server } = key;
  const since = "trackedSince" in key ? key.trackedSince : null;
  const trackedSince = typeof since === "number" ? new Date(since) : since;
  return { protocol, userId, server, trackedSince, past, session, overall: added(past, session), live: {} };
}

function sumsByKey(sums: Sums): Map<number, { past: Tally; open: Tally }> {
  const byKey = new Map<number, { past: Tally; open: Tally }>();
  for (const { key, counter, past, open } of sums.sums) {
    const of = byKey.get(key) ?? { past: new Tally(), open: new Tally() };
    of.past.add(counter, past);
    of.open.add(counter, open);
    byKey.set(key, of);
  }
  return byKey;
}

function added(a: Numbers, b: Numbers): Numbers {
  return new Tally().addAll(a).addAll(b).numbers();
}

function nameOf(key: { protocol: string; userId: string; server: string }): string {
  return JSON.stringify([key.protocol, key.userId, key.server]);
}

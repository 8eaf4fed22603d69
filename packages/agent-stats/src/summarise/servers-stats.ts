import type { Recorded, RecordedServer } from "../record/recorder.ts";
import type { SessionRow, Sums } from "../store/store.ts";
import { KeyIds } from "./key-ids.ts";
import { addTo, type Numbers } from "./numbers.ts";
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
  return {
    trackedSince: new Date(sums.trackedSince),
    lastSaved: sums.lastSaved === null ? null : new Date(sums.lastSaved),
    sessions: sessions.map(sessionOf),
    servers: recorded ? joined(stored(sums, true), recorded.servers) : stored(sums, false),
    rejected: recorded?.rejected ?? {},
    ...(sums.erasurePending && { erasurePending: true }),
  };
}

/** What the store holds. With a recorder, whatever it holds of other sessions is past. */
function stored(sums: Sums, openIsPast: boolean): ServerStats[] {
  const rows = new Map<number, { past: Record<string, number>; open: Record<string, number> }>();
  for (const { key } of sums.keys) rows.set(key, { past: {}, open: {} });
  for (const { key, counter, past, open } of sums.sums) {
    const row = rows.get(key);
    if (!row) continue;
    addTo(row.past, counter, past);
    addTo(openIsPast ? row.past : row.open, counter, open);
  }
  return sums.keys.map(({ key, protocol, userId, server, trackedSince }) => {
    const { past = {}, open = {} } = rows.get(key) ?? {};
    const since = new Date(trackedSince);
    const overall = openIsPast ? past : added(past, open);
    return { protocol, userId, server, trackedSince: since, past, session: open, overall, live: {} };
  });
}

/** The stored keys in their order, then those that were never saved. */
function joined(stored: readonly ServerStats[], recorded: readonly RecordedServer[]): ServerStats[] {
  if (recorded.length === 0) return [...stored];
  const ids = new KeyIds();
  const unsaved = new Map(recorded.map((server) => [ids.of(server), server]));
  const servers = stored.map((server) => {
    const id = ids.of(server);
    const counted = unsaved.get(id);
    unsaved.delete(id);
    return counted ? withSession(server, counted) : server;
  });
  for (const { protocol, userId, server, ...counted } of unsaved.values()) {
    const unknown = { protocol, userId, server, trackedSince: null, past: {}, session: {}, overall: {}, live: {} };
    servers.push(withSession(unknown, counted));
  }
  return servers;
}

function withSession(stored: ServerStats, { session, live }: Pick<RecordedServer, "session" | "live">): ServerStats {
  return { ...stored, session, overall: added(stored.past, session), live };
}

function added(a: Numbers, b: Numbers): Numbers {
  const sum = { ...a };
  for (const counter of Object.keys(b)) addTo(sum, counter, b[counter] as number);
  return sum;
}

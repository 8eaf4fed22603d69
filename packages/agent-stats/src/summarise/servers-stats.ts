import type { Recorded, RecordedServer } from "../record/recorder.ts";
import type { KeySums, SessionRow, Sums } from "../store/store.ts";
import { KeyIds } from "./key-ids.ts";
import { type Numbers, plus } from "./numbers.ts";
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
    servers: recorded
      ? joined(sums.keys, recorded.servers)
      : sums.keys.map((key) => serverOf(key, new Date(key.trackedSince), key.past, key.open, NONE)),
    rejected: recorded?.rejected ?? {},
    ...(sums.erasurePending && { erasurePending: true }),
  };
}

/** The stored keys in their order, then those that were never saved. What the store holds of other sessions is past. */
function joined(keys: readonly KeySums[], recorded: readonly RecordedServer[]): ServerStats[] {
  const ids = new KeyIds();
  const unsaved = new Map(recorded.map((server) => [ids.of(server), server]));
  const servers = keys.map((key) => {
    const id = unsaved.size > 0 ? ids.of(key) : -1;
    const { session = NONE, live = NONE } = unsaved.get(id) ?? {};
    unsaved.delete(id);
    return serverOf(key, new Date(key.trackedSince), plus(key.past, key.open), session, live);
  });
  for (const server of unsaved.values()) servers.push(serverOf(server, null, NONE, server.session, server.live));
  return servers;
}

function serverOf(
  { protocol, userId, server }: Pick<ServerStats, "protocol" | "userId" | "server">,
  trackedSince: Date | null,
  past: Numbers,
  session: Numbers,
  live: Numbers,
): ServerStats {
  return { protocol, userId, server, trackedSince, past, session, overall: plus(past, session), live };
}

const NONE: Numbers = Object.freeze({});

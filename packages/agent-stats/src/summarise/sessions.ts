import type { AuditRow, Ending, ScopeKind, SessionRow, SessionSumRow } from "../store/store.ts";
import { type Numbers, Tally } from "./numbers.ts";

/** One run of an agent. */
export interface Session {
  readonly session: number;
  readonly started: Date;
  readonly lastSaved: Date;
  /** Null while it runs, and where it ended without a goodbye: then nobody knows when. */
  readonly ended: Date | null;
  readonly how: Ending | "running";
  /**
   * What it counted in its last so many milliseconds can be missing, plus the time of one save; twice that where its main
   * thread hung. 0 where nothing is missing. More than 0 only for a session that was killed: its flush interval.
   */
  readonly canHaveLostMs: number;
}

export function sessionOf(row: SessionRow): Session {
  const how = row.how ?? "running";
  return {
    session: row.session,
    started: new Date(row.started),
    lastSaved: new Date(row.lastSaved),
    ended: row.ended === null ? null : new Date(row.ended),
    how,
    canHaveLostMs: how === "killed" ? row.flushEveryMs : 0,
  };
}

/** One session folded into the past, one deletion or one reset. It names nobody. */
export interface LogLine {
  readonly at: Date;
  readonly what: AuditRow["what"];
  /** The session that was folded; of a deletion or a reset, which names its scope gave. */
  readonly of: number | ScopeKind;
  /** The session whose process did it; null where a tool did, or the host itself in a transaction of its own. */
  readonly by: number | null;
}

/** A session with what it counted: of each key, as far as history holds it. */
export interface SessionWithCounts extends Session {
  /** What it folded, deleted and reset, and what was so by nobody's session before the next one began. Oldest first. */
  readonly log: readonly LogLine[];
  readonly servers: readonly {
    readonly protocol: string;
    readonly userId: string;
    readonly server: string;
    readonly counters: Numbers;
  }[];
}

export function sessionsWithCounts(
  rows: readonly SessionRow[],
  sums: readonly SessionSumRow[],
  audit: readonly AuditRow[],
): SessionWithCounts[] {
  const logs = logsOf(rows, audit);
  const counted = new Map<number, Map<string, { key: SessionSumRow; counters: Tally }>>();
  for (const sum of sums) {
    const servers = counted.get(sum.session) ?? new Map();
    counted.set(sum.session, servers);
    const name = JSON.stringify([sum.protocol, sum.userId, sum.server]);
    const server = servers.get(name) ?? { key: sum, counters: new Tally() };
    servers.set(name, server);
    server.counters.add(sum.counter, sum.value);
  }
  return rows.map((row) => {
    const servers = [...(counted.get(row.session)?.values() ?? [])];
    return {
      ...sessionOf(row),
      log: logs.get(row.session) ?? [],
      servers: servers.map(({ key: { protocol, userId, server }, counters }) => ({
        protocol,
        userId,
        server,
        counters: counters.numbers(),
      })),
    };
  });
}

/** Each session's lines. Those of no session that is known here go to the last one that had begun. */
function logsOf(rows: readonly SessionRow[], audit: readonly AuditRow[]): Map<number, LogLine[]> {
  const logs = new Map<number, LogLine[]>(rows.map(({ session }) => [session, []]));
  for (const { at, session, what, of } of audit) {
    const begun = rows.findLast(({ started }) => started <= at) ?? rows[0];
    const log = logs.get(session ?? -1) ?? logs.get(begun?.session ?? -1);
    log?.push({ at: new Date(at), what, of, by: session });
  }
  return logs;
}

import type { Scope } from "../../record/scope.ts";
import type { Caller, Clear, Cleared, CountedRow, Ending, SessionRow, SessionSumRow } from "../store.ts";
import type { Connection } from "./connection.ts";
import { counted, SUM_OF_COUNTS } from "./counts.ts";
import type { SessionLocks } from "./handle.ts";
import { type Put, putHours, putSums, type SumsHead } from "./parts.ts";

/** Stands for all hours that are no longer told apart. */
export const NO_HOUR = -1;

export function readSums(db: Connection, caller: Caller | null, put: Put): SumsHead {
  return db.read(({ locks, ownFile }, isWithinHosts) => {
    putSums(db, caller?.session ?? -1, put);
    return {
      trackedSince: db.meta("tracked_since"),
      lastSaved:
        db.number("SELECT MAX(last_saved) AS n FROM agent_stats_session WHERE saves > 0 OR last_saved > started") ||
        null,
      closed: caller !== null && !isOpen(db, caller.session),
      ...(ownFile && isErasurePending(db) && { erasurePending: true }),
      // What the host may yet roll back is not to be heard of.
      ...cleared(db, isWithinHosts ? null : caller),
      sessions: sessionRows(db, locks),
    };
  });
}

export function readSessions(db: Connection): SessionRow[] {
  return db.use(({ locks }) => sessionRows(db, locks));
}

export function readSessionSums(db: Connection): SessionSumRow[] {
  const sums = db.use(() =>
    db.all<SessionSumRow>(
      `SELECT session_id AS session, protocol, user_id AS userId, server, counter, ${SUM_OF_COUNTS} AS value
        FROM agent_stats_count JOIN agent_stats_key USING (key_id)
        GROUP BY session_id, key_id, counter ORDER BY session_id, key_id`,
    ),
  );
  return counted(sums);
}

export function readCounted(db: Connection, agent: string): CountedRow[] {
  const sums = db.use(() =>
    db.all<CountedRow>(
      `SELECT protocol, user_id AS userId, server, counter, ${SUM_OF_COUNTS} AS value
        FROM agent_stats_count JOIN agent_stats_key USING (key_id)
        WHERE session_id IN (SELECT session_id FROM agent_stats_session WHERE agent = ?) GROUP BY key_id, counter`,
      [agent],
    ),
  );
  return counted(sums);
}

export function readHours(db: Connection, from: number, to: number, put: Put): void {
  db.read(() => putHours(db, from, to, put));
}

/** A file with tables of others is a host's, whoever reads it now: it is the host's to VACUUM, and no one tells us. */
function isErasurePending(db: Connection): boolean {
  const foreign =
    "SELECT COUNT(*) AS n FROM sqlite_schema WHERE tbl_name NOT GLOB 'agent_stats*' AND name NOT GLOB 'sqlite*'";
  return db.meta("erase_pending") !== 0 && db.number(foreign) === 0;
}

/** Within a call: whether the session may still write. */
export function isOpen(db: Connection, session: number): boolean {
  const sql = "SELECT 1 AS yes FROM agent_stats_session WHERE session_id = ? AND folded = 0 AND ended IS NULL";
  return db.get(sql, [session]) !== undefined;
}

/** Within a call: what a session has to hear of. */
export function cleared(
  db: Connection,
  caller: { readonly session: number | null; readonly seen: number } | null,
): Cleared {
  if (caller === null) return { clears: [], saves: 0 };
  const saves = db.number("SELECT saves AS n FROM agent_stats_session WHERE session_id = ?", [caller.session]);
  const clears = db
    .all<Omit<Clear, "scope"> & Record<keyof Scope, string | null>>(
      `SELECT tombstone_id AS clear, what, protocol, user_id AS userId, server
        FROM agent_stats_tombstone WHERE tombstone_id > ? AND digest IS NULL ORDER BY tombstone_id`,
      [caller.seen],
    )
    .map(({ clear, what, ...columns }) => {
      const scope = Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null));
      return { clear, what, scope: scope as Scope };
    });
  return { clears, saves };
}

function sessionRows(db: Connection, locks: SessionLocks): SessionRow[] {
  return db
    .all<Omit<SessionRow, "folded"> & { folded: number }>(
      `SELECT session_id AS session, started, last_saved AS lastSaved, ended, how, flush_every AS flushEveryMs, folded
        FROM agent_stats_session ORDER BY session_id`,
    )
    .map((row) => {
      const how: Ending | null = row.how ?? (locks.isHeld(row.session) ? null : "killed");
      return { ...row, how, folded: row.folded === 1 };
    });
}

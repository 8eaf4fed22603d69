import { copyFileSync, existsSync, rmSync } from "node:fs";
import { readAgentStats, type Session } from "agent-stats";
import { sqlcipherReader } from "agent-stats/sqlcipher";
import { openWithKey } from "./drivers.ts";
import { COUNTERS, KEY, numberIn } from "./names.ts";
import { readingQuickly } from "./quick-reading.ts";
import { type KeyOfCount, keyOfCount } from "./worlds.ts";

/** What a database holds, by SQL that is not the library's. */
export interface Kept {
  /** Past and open sessions together. */
  readonly sums: ReadonlyMap<KeyOfCount, number>;
  readonly sessions: readonly KeptSession[];
  /** What history says that each folded session counted, and the past, which must be the same: what differs. */
  readonly foldedTwice: readonly KeyOfCount[];
  readonly erasePending: boolean;
  /** The users in the host's own table; null where there is none. */
  readonly hostUsers: ReadonlySet<number> | null;
  /** What SQLite and the cipher find wrong with the file. */
  readonly damage: readonly string[];
  /** Nothing of it can be read at all: `damage` says why, and the rest is empty. */
  readonly isUnreadable?: true;
}

export type KeptAndTold = Kept & { readonly told: Told };

interface KeptSession {
  readonly session: number;
  readonly how: string | null;
  readonly ended: number | null;
  readonly folded: boolean;
}

/**
 * Reads a copy of the database and its WAL: reading the files themselves would recover them, and the next process is to
 * find them as the last one left them. Nobody may write meanwhile.
 */
export async function readKept(file: string, copy: string): Promise<KeptAndTold | null> {
  if (!existsSync(file)) return null;
  for (const suffix of ["", "-wal"]) {
    rmSync(copy + suffix, { force: true });
    if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
  }
  try {
    const kept = keptIn(copy);
    return { ...kept, told: kept.isUnreadable ? NOTHING : await readingQuickly(() => toldBy(copy)) };
  } catch (error) {
    return { ...unreadable(error), told: NOTHING };
  } finally {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(copy + suffix, { force: true });
  }
}

/** What a database that is open to others too holds at this moment. One that cannot be read is damaged beyond all. */
export function keptIn(file: string): Kept {
  try {
    return read(file);
  } catch (error) {
    return unreadable(error);
  }
}

function unreadable(error: unknown): Kept {
  const { code = "no code", message = String(error) } = error as { code?: unknown; message?: string };
  return { ...NOTHING, hostUsers: null, damage: [`it cannot be read: ${code}: ${message}`], isUnreadable: true };
}

function read(file: string): Kept {
  const handle = openWithKey(file);
  try {
    handle.exec("PRAGMA busy_timeout = 10000; BEGIN");
    const all = <R>(sql: string) => handle.prepare(sql).all([]) as R[];
    const has = (table: string) => all(`SELECT 1 FROM sqlite_schema WHERE name = '${table}'`).length > 0;
    if (!has("agent_stats_meta")) return { ...NOTHING, hostUsers: hostUsersIn(all, has), damage: damageIn(all, has) };
    return {
      sums: sumsBy(all, `${PAST} UNION ALL ${countsOf(0)}`),
      sessions: sessionsIn(all),
      foldedTwice: differing(sumsBy(all, PAST), sumsBy(all, countsOf(1))),
      erasePending: all("SELECT 1 FROM agent_stats_meta WHERE name = 'erase_pending' AND value <> 0").length > 0,
      hostUsers: hostUsersIn(all, has),
      damage: damageIn(all, has),
    };
  } finally {
    handle.close();
  }
}

/** What the library itself says of the same file. */
export interface Told {
  readonly sums: ReadonlyMap<KeyOfCount, number>;
  readonly sessions: readonly Session[];
}

async function toldBy(file: string): Promise<Told> {
  const view = readAgentStats({ store: sqlcipherReader({ file, key: KEY, thread: "same" }) });
  try {
    const { servers } = await view.getServersStats();
    const sums = servers.flatMap(({ userId, server, overall }) =>
      COUNTERS.map((name, counter) => {
        return [keyOfCount(numberIn(userId), numberIn(server), counter), overall[name] ?? 0] as const;
      }),
    );
    return { sums: new Map(sums.filter(([, value]) => value > 0)), sessions: await view.getSessions() };
  } finally {
    await view.close();
  }
}

type All = <R>(sql: string) => R[];
type Has = (table: string) => boolean;

const NOTHING = { sums: new Map(), sessions: [], foldedTwice: [], erasePending: false };

const PAST = "SELECT key_id, counter, value FROM agent_stats_past";
const countsOf = (folded: 0 | 1) =>
  `SELECT c.key_id, c.counter, c.value FROM agent_stats_count c
    JOIN agent_stats_session s ON s.session_id = c.session_id AND s.folded = ${folded}`;

function sumsBy(all: All, counts: string): Map<KeyOfCount, number> {
  const rows = all<{ user: string; server: string; counter: string; n: number }>(
    `SELECT k.user_id AS user, k.server AS server, counts.counter AS counter, SUM(counts.value) AS n
      FROM (${counts}) counts JOIN agent_stats_key k ON k.key_id = counts.key_id GROUP BY 1, 2, 3`,
  );
  return new Map(
    rows.map(({ user, server, counter, n }) => [
      keyOfCount(numberIn(user), numberIn(server), COUNTERS.indexOf(counter as (typeof COUNTERS)[number])),
      n,
    ]),
  );
}

/** Where a session was folded twice, or half, the past is no longer what the sessions counted. */
function differing(past: ReadonlyMap<KeyOfCount, number>, history: ReadonlyMap<KeyOfCount, number>): KeyOfCount[] {
  return [...new Set([...past.keys(), ...history.keys()])].filter(
    (key) => (past.get(key) ?? 0) !== (history.get(key) ?? 0),
  );
}

function sessionsIn(all: All): KeptSession[] {
  return all<Omit<KeptSession, "folded"> & { folded: number }>(
    `SELECT session_id AS session, how, ended, folded
      FROM agent_stats_session ORDER BY session_id`,
  ).map((row) => ({ ...row, folded: row.folded === 1 }));
}

function hostUsersIn(all: All, has: Has): Set<number> | null {
  if (!has("host_users")) return null;
  return new Set(all<{ n: number }>("SELECT user_number AS n FROM host_users").map(({ n }) => n));
}

const ORPHANS = `SELECT 1 FROM (SELECT key_id FROM agent_stats_past UNION ALL SELECT key_id FROM agent_stats_count)
  WHERE key_id NOT IN (SELECT key_id FROM agent_stats_key)`;

function damageIn(all: All, has: Has): string[] {
  const found = [...all<object>("PRAGMA integrity_check"), ...all<object>("PRAGMA cipher_integrity_check")];
  const orphans = has("agent_stats_key") ? all<object>(ORPHANS).map(() => "counts without a key") : [];
  return [...found.map((row) => String(Object.values(row)[0])).filter((text) => text !== "ok"), ...orphans];
}

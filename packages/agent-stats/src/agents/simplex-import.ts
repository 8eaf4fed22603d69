import { keepStats } from "../keep/open.ts";
import { assertGiven, can, isDate, isObject } from "../record/given.ts";
import { StatsError } from "../store/errors.ts";
import type { StatsStore } from "../store/store.ts";
import type { SimplexStats } from "./simplex-parse.ts";
import { OTHER_USERS } from "./simplex-presented.ts";
import { protocolsWith } from "./simplex-protocols.ts";
import { CoreSessions } from "./simplex-session.ts";

/** What an import did. */
export interface Imported {
  /** False where the database held all of it already: then nothing was written. */
  readonly changed: boolean;
  /** True where the core's counters had gone back although its start date had not moved: counted as begun anew. */
  readonly wentBack: boolean;
  /** True where numbers of other users together were left out, as some of those users are counted by name already. */
  readonly othersLeftOut: boolean;
  readonly users: number;
  readonly servers: number;
}

/**
 * Adds to a database what a SimpleX core counted: only what it does not hold yet, as one session, all or nothing. The
 * same statistics twice change nothing; later ones add the difference; after a reset in the core all of it is added.
 *
 * Statistics of one core are to be given in the order in which they were made: older ones under the same start date look
 * like counters that went back. One import or watch at a time for each database.
 *
 * @throws StatsError when the store fails; SimplexOverlapError; TypeError when it is no store, or not what was read
 */
export async function importSimplex(store: StatsStore, stats: SimplexStats): Promise<Imported> {
  assertGiven(can(store, "begin", "save"), "store says where the numbers are kept, and must be one");
  assertGiven(isSimplexStats(stats), "stats must be what parseSimplex reads");
  const { startedAt, rows, currentUser } = stats;
  const { snapshot, adds, wentBack, othersLeftOut } = await new CoreSessions(store).plan(
    { startedAt, rows, isComplete: currentUser === null },
    { mayBeOld: true },
  );
  const told = {
    wentBack,
    othersLeftOut,
    users: new Set(snapshot.servers.map(({ userId }) => userId).filter((userId) => userId !== OTHER_USERS)).size,
    servers: new Set(snapshot.servers.map(({ server }) => server)).size,
  };
  if (adds === 0) return { ...told, changed: false };
  const kept = await keepStats({
    store,
    agent: { getServersStats: () => snapshot, listen: () => {} },
    protocols: protocolsWith(stats.unknownCounters),
    // Told by what is thrown.
    onProblem: () => {},
  });
  try {
    await kept.flush();
    assertWhole(kept.agentIsAway, kept.recorder.getServersStats().rejected);
  } finally {
    await kept.close();
  }
  return { ...told, changed: true };
}

function isSimplexStats(given: unknown): boolean {
  if (!isObject(given) || !isObject(given.unknownCounters)) return false;
  const { rows, startedAt, unknownCounters } = given;
  const areRows = Array.isArray(rows) && rows.every((row) => isObject(row) && isObject(row.counters));
  return areRows && (startedAt === null || isDate(startedAt)) && Object.values(unknownCounters).every(Array.isArray);
}

/** The snapshot was checked before: what the recorder rejects all the same is a fault of this library. */
function assertWhole(isAway: boolean, rejected: Readonly<Record<string, number>>): void {
  if (!isAway && Object.values(rejected).every((count) => count === 0)) return;
  throw new StatsError("STATS_STORE_FAILED", "Some of the statistics could not be counted: please report it.");
}

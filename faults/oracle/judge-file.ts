import { openAgentStats, readAgentStats, type ServersStats, StatsError } from "agent-stats";
import type { DriverName, SqlcipherOptions } from "agent-stats/sqlcipher";
import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { sqliteStore } from "agent-stats/sqlite";
import { COUNTERS, KEY, protocol } from "./names.ts";
import { readingQuickly } from "./quick-reading.ts";
import { openPlain } from "./raw-file.ts";
import { keyOf, type State } from "./story.ts";
import { secretIn } from "./told-errors.ts";

/** What somebody who opens a file is told: what the counters stand at, or why it cannot be read. */
export type Seen = { readonly state: State } | { readonly refused: StatsError } | { readonly broke: string };

/** A user that no story deletes, so that it is seen whether a writer can go on. */
const PROBE = { user: "probe", server: "probe", counter: COUNTERS[0] };

function stateOf({ servers }: ServersStats): State {
  const state = new Map<string, number>();
  for (const { userId, server, overall } of servers) {
    for (const [counter, value] of Object.entries(overall)) {
      const key = keyOf(userId, server, counter);
      state.set(key, (state.get(key) ?? 0) + value);
    }
  }
  return state;
}

async function seen(look: () => Promise<State>): Promise<Seen> {
  try {
    return { state: await readingQuickly(look) };
  } catch (error) {
    const secret = secretIn(error);
    if (secret !== null) return leaked(secret);
    if (error instanceof StatsError) return { refused: error };
    return { broke: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

/** What a reader is told through the public API. */
export function seenByReader(file: string, driver: DriverName): Promise<Seen> {
  return seen(async () => {
    const view = readAgentStats({ store: sqlcipherReader({ file, key: KEY, driver, thread: "same" }) });
    try {
      return stateOf(await view.getServersStats());
    } finally {
      await view.close();
    }
  });
}

/** The same of a file without encryption, which its host has open. */
export function seenInPlain(file: string): Promise<Seen> {
  return seen(async () => {
    const handle = openPlain(file);
    try {
      const view = readAgentStats({ store: sqliteStore(handle, { allowPlaintext: true }) });
      return stateOf(await view.getServersStats());
    } finally {
      handle.close();
    }
  });
}

/**
 * What a writer is told, who goes on counting: it folds what it finds, counts once, saves, and closes. The one that it
 * counted is taken off again.
 */
export function seenByWriter(file: string, driver: DriverName): Promise<Seen> {
  return goOn({ file, driver, ifDamaged: "refuse" }, () => {});
}

export interface SeenByMover {
  readonly seen: Seen;
  /** It was told that the file was moved aside. */
  readonly isToldOfMove: boolean;
}

/** The same of a writer that has damaged files moved aside. */
export async function seenByMover(file: string, driver: DriverName): Promise<SeenByMover> {
  let isToldOfMove = false;
  const seen = await goOn({ file, driver, ifDamaged: "move-aside" }, (problem) => {
    isToldOfMove ||= problem.code === MOVED_ASIDE;
  });
  return { seen, isToldOfMove };
}

const MOVED_ASIDE = "STATS_MOVED_ASIDE";

async function goOn(
  where: Pick<SqlcipherOptions, "file" | "driver" | "ifDamaged">,
  heard: (problem: StatsError) => void,
): Promise<Seen> {
  let secret: string | null = null;
  const told = await seen(async () => {
    const stats = await openAgentStats({
      protocols: [protocol],
      store: sqlcipherStore({ ...where, key: KEY, thread: "same" }),
      flushEvery: 3_600_000,
      onProblem: (problem) => {
        if (problem) heard(problem);
        secret ??= secretIn(problem);
      },
    });
    let closed = false;
    try {
      stats.server(protocol, PROBE.user, PROBE.server).add(PROBE.counter);
      // The save that finds the damage is refused; the next one begins the new file.
      await stats.flush().catch((error: StatsError) => {
        if (error.code !== MOVED_ASIDE) throw error;
        return stats.flush();
      });
      const state = withoutProbe(stateOf(await stats.getServersStats()));
      closed = true;
      await stats.close();
      return state;
    } finally {
      if (!closed) await stats.close().catch(() => {});
    }
  });
  return secret === null ? told : leaked(secret);
}

const leaked = (secret: string): Seen => ({ broke: `a secret stands in what it was told: ${secret}` });

function withoutProbe(state: State): State {
  const probe = keyOf(PROBE.user, PROBE.server, PROBE.counter);
  const others = new Map(state);
  const value = others.get(probe) ?? 0;
  others.delete(probe);
  return value === 1 ? others : new Map([...others, [`the probe was counted ${value} times`, value]]);
}

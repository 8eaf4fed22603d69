import type { ServersStats } from "agent-stats";

/** What one user sent, over all servers: messages that a broker acknowledged, and messages that were tried. */
export interface Sent {
  readonly sent: number;
  readonly attempts: number;
}

export type SentByUser = Readonly<Record<string, Sent>>;

/** The three numbers of the RFC. */
export interface Views {
  readonly past: SentByUser;
  readonly session: SentByUser;
  readonly overall: SentByUser;
}

type Counted = { readonly userId: string; readonly counts: Readonly<Record<string, number>> };

/**
 * The sums for each user.
 *
 * @param counters what the agent's own counters stand at, where it started from the past (options 2 and 4): they are
 *   overall numbers by themselves, and must be the same as past and session together
 */
export function viewsOf(
  { servers }: Pick<ServersStats, "servers">,
  counters?: readonly { readonly userId: string; readonly total: Readonly<Record<string, number>> }[],
): Views {
  return {
    past: sumByUser(servers.map(({ userId, past }) => ({ userId, counts: past }))),
    session: sumByUser(servers.map(({ userId, session }) => ({ userId, counts: session }))),
    overall: sumByUser(
      counters
        ? counters.map(({ userId, total }) => ({ userId, counts: total }))
        : servers.map(({ userId, overall }) => ({ userId, counts: overall })),
    ),
  };
}

/** Users who sent nothing are left out: a reset keeps a user's connections, and a restart does not remember them. */
function sumByUser(all: readonly Counted[]): SentByUser {
  const sums = new Map<string, Sent>();
  for (const { userId, counts } of all) {
    const { sent, attempts } = sums.get(userId) ?? { sent: 0, attempts: 0 };
    sums.set(userId, { sent: sent + (counts.sent ?? 0), attempts: attempts + (counts.sendAttempts ?? 0) });
  }
  const some = [...sums].filter(([, { sent, attempts }]) => sent + attempts > 0);
  return Object.fromEntries(some.sort(([a], [b]) => a.localeCompare(b)));
}

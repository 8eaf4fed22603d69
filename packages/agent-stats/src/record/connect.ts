import { type DirectLine, openDirectLine } from "./direct.ts";
import { assertFunctions, userIdOf } from "./given.ts";
import { type ChannelLike, portOf, type StatsPort } from "./port.ts";
import type { Recorded } from "./recorder.ts";
import { type GivenScope, resetScopeOf, type Scope } from "./scope.ts";
import { replyOf } from "./wire.ts";

/** Whatever counts elsewhere. Only `getServersStats` is needed; the rest is used where it is there. */
export interface StatsAgent {
  /** What it counted: of its whole session, each number absolute. Checked before it is believed. */
  getServersStats(which?: { readonly changedOnly: boolean }): unknown;
  /** The same at once, for a process that is ending; null where that cannot be had. Absent: it never can. */
  getServersStatsNow?(): unknown;
  /** Drops a user there too. */
  forgetUser?(userId: string): unknown;
  /** Counts for that user again. */
  addUser?(userId: string): unknown;
  /** Starts its counters from zero. */
  reset?(scope: Scope): unknown;
  /** Tells of changes, so that it need not be asked in vain. An agent without it is asked every flush interval. */
  listen?(onChange: ((urgent: boolean) => void) | null): void;
}

/** An agent across a channel. */
export interface RemoteAgent extends StatsAgent {
  getServersStats(which?: { readonly changedOnly: boolean }): Promise<Recorded>;
  getServersStatsNow(): unknown;
  forgetUser(userId: string | number): Promise<void>;
  addUser(userId: string | number): Promise<void>;
  reset(scope: GivenScope): Promise<void>;
  /** Goes on over another channel: the agent was started again, or its connection was lost. */
  attach(channel: ChannelLike): void;
}

/** An agent that has not answered for this long is away. */
const ANSWER_WITHIN_MS = 5_000;

type Asked = { agentStats: "get"; all: boolean } | { agentStats: "forget" | "add"; userId: string } | Reset;
type Reset = { agentStats: "reset"; scope: Scope };

interface Waiting {
  resolve(stats: Recorded): void;
  reject(error: Error): void;
}

/**
 * The other end of {@link serveRecorder}.
 *
 * @throws TypeError when it is no channel
 */
export function connectRecorder(channel: ChannelLike): RemoteAgent {
  const waiting = new Map<number, Waiting>();
  let port: StatsPort;
  let direct: DirectLine | null = null;
  let gone: boolean;
  let lastId = 0;
  let changed: ((urgent: boolean) => void) | null = null;

  const settle = (id: number, how: (call: Waiting) => void) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) port.ref(false);
    if (call) how(call);
  };
  const fail = (id: number) => settle(id, ({ reject }) => reject(new Error("the agent does not answer")));
  const failAll = () => {
    for (const id of [...waiting.keys()]) fail(id);
  };

  const attach = (to: ChannelLike) => {
    const attached = portOf(to);
    failAll();
    direct?.close();
    direct = openDirectLine(to);
    port = attached;
    gone = false;
    attached.listen(
      (message) => {
        const reply = replyOf(message);
        if (reply?.agentStats === "changed") changed?.(reply.urgent);
        else if (reply && waiting.has(reply.id)) settle(reply.id, ({ resolve }) => resolve(reply));
        // It answers what nobody waits for any more: it was away, and is back.
        else if (reply) changed?.(false);
      },
      () => {
        if (port !== attached) return;
        gone = true;
        failAll();
      },
    );
    changed?.(false);
  };

  const ask = (what: Asked) =>
    new Promise<Recorded>((resolve, reject) => {
      const id = ++lastId;
      const timer = setTimeout(() => fail(id), ANSWER_WITHIN_MS);
      const done = <T>(then: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer);
          then(value);
        };
      };
      waiting.set(id, { resolve: done(resolve), reject: done(reject) });
      if (gone) return fail(id);
      port.ref(true);
      port.post({ ...what, id });
    });

  attach(channel);
  return {
    getServersStats: (which) => ask({ agentStats: "get", all: !which?.changedOnly }),
    getServersStatsNow: () => (gone ? null : (direct?.ask() ?? null)),
    forgetUser: async (userId) => void (await ask({ agentStats: "forget", userId: userIdOf(userId) })),
    addUser: async (userId) => void (await ask({ agentStats: "add", userId: userIdOf(userId) })),
    reset: async (scope) => void (await ask({ agentStats: "reset", scope: resetScopeOf(scope) })),
    listen: (onChange) => {
      assertFunctions({ onChange: onChange ?? undefined }, "onChange");
      changed = onChange;
    },
    attach,
  };
}

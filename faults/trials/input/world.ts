/** What a public function is called with when it is called rightly: the doors of the library, and the world before them. */
import { join } from "node:path";
import { type ChannelLike, connectRecorder, defineProtocol, memoryStore, openAgentStats } from "agent-stats";
import type { Finding } from "agent-stats/diagnose";
import { makeReport, newReportKey } from "agent-stats/report";
import { sqliteStore } from "agent-stats/sqlite";
import { MARK } from "../../oracle/canary.ts";
import { DRIVERS, databaseClass } from "../../oracle/drivers.ts";

export const [DRIVER = "@signalapp/sqlcipher"] = DRIVERS;

/** What it is called with when it is called rightly, and the call. What it opens, it closes. */
export interface Door {
  readonly name: string;
  readonly good: (world: World) => readonly unknown[];
  readonly call: (world: World, ...given: never[]) => unknown;
}

export const door = <const Given extends unknown[]>(
  name: string,
  good: (world: World) => Given,
  call: (world: World, ...given: Given) => unknown,
): Door => ({ name, good, call: call as never });

export const protocol = defineProtocol("smp", { tried: { help: "tried", attemptsOf: "sent" }, sent: "messages sent" });
export const key = { protocol: "smp", userId: `user-${MARK}`, server: `smp://${MARK}` };

export type World = Awaited<ReturnType<typeof worldIn>>;

/** What the doors are called with, and on. None of it is changed by a call that is refused. */
export async function worldIn(folder: string) {
  const stats = await openAgentStats({ protocols: [protocol], store: memoryStore(), onProblem: () => {} });
  stats.server(protocol, key.userId, key.server).add("sent", 7);
  const [servers, sessions, timeline] = await Promise.all([
    stats.getServersStats(),
    stats.getSessions(),
    stats.getTimeline(),
  ]);
  const reportKey = newReportKey();
  const report = await makeReport({ stats: servers, key: reportKey });
  const handle = new (databaseClass(DRIVER))(":memory:");
  handle.exec("CREATE TABLE users (id TEXT)");
  const now = new Date();
  const finding: Finding = { kind: "rejected", weight: 5, calls: 2, reasons: { badKey: 2 } };
  return {
    ...{ folder, file: join(folder, "none.db"), stats, servers, sessions, timeline, reportKey, report, handle },
    ...{ now, finding, signal: AbortSignal.abort() },
    host: sqliteStore(handle),
    agent: connectRecorder(answering()),
  };
}

/** A channel to an agent that answers whatever it is asked. */
export function answering(): ChannelLike {
  let heard: (message: unknown) => void = () => {};
  const stats = { agentStats: "stats", session: "s", servers: [], rejected: {} };
  return {
    postMessage: (message) => queueMicrotask(() => heard({ ...stats, id: (message as { id?: number }).id })),
    on: (event, listener) => {
      if (event === "message") heard = listener;
    },
  };
}

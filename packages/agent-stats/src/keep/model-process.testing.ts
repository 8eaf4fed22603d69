/** For the model: a process on the database, as far as it is real. */
import { defineProtocol } from "../record/protocol.ts";
import type { Server } from "../record/row.ts";
import { answerOf, callsBy, inThisThread } from "../store/methods.ts";
import { withStandIn } from "../store/stand-in.ts";
import type { StatsStore, StoreCalls } from "../store/store.ts";
import { type AgentStats, openAgentStats } from "./open.ts";

export const smp = defineProtocol("smp", { sent: "messages sent" });

export interface Running {
  readonly stats: AgentStats;
  readonly store: StatsStore;
  readonly handles: Map<string, Server<"sent">>;
  failNext: "before" | "after" | null;
  /** The process does not come to its save in time: the store's own thread looks. True when it saved something. */
  standIn(): boolean;
}

/**
 * A process on the database, with a thread of the database that stands in for it, and whose saves fail on demand: before
 * they did anything, or after they did it all.
 */
export async function start(inner: StatsStore, startFrom: "zero" | "past"): Promise<Running> {
  const calls = inner.now as StoreCalls;
  const running: Pick<Running, "failNext"> = { failNext: null };
  const fail = (message: string): never => {
    running.failNext = null;
    throw new Error(message);
  };
  const save: StoreCalls["save"] = (batch) => {
    const fails = running.failNext;
    if (fails === "before") return fail("failed before it began");
    const result = calls.save(batch);
    return fails === "after" && result.outcome === "saved" ? fail("done, and reported as failed") : result;
  };
  const thread = withStandIn({ ...callsBy<StoreCalls>(answerOf(calls)), save });
  let knowsRows = false;
  const announce: StatsStore["announce"] = (news) => {
    if (!news.anew && !knowsRows) return false;
    knowsRows = true;
    thread.hear(news);
    return true;
  };
  const close = async () => {
    knowsRows = false;
    thread.calls.close();
  };
  const store: StatsStore = { ...inner, ...inThisThread(thread.calls), close, announce };
  const options = { protocols: [smp], store, startFrom, flushEvery: 3_600_000, onProblem: () => {} };
  const stats = await openAgentStats(options);
  const handles = new Map<string, Server<"sent">>();
  return Object.assign(running, { stats, store, handles, standIn: () => thread.look() });
}

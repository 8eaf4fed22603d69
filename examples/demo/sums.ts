/** Sums for people to read. The judge does not use them: it compares key by key and run by run. */

import { countedIn, lossBegins, overall, since } from "./compare.ts";
import type { Evidence, KeyTruth, RunEvidence } from "./evidence.ts";

export type Bound = Pick<Evidence, "flushEveryMs" | "oneSaveMs">;

/** What was counted in a run by the host's log, what of it is kept, what may be missing: sent and received together. */
export function sumsOf(run: RunEvidence, before: RunEvidence | undefined, bound: Bound) {
  const from = lossBegins(run, bound);
  const each = run.truth.map((truth) => ({
    counted: truth.host.attempted.length + truth.host.received.length,
    kept: countedIn(run, before, truth, "sendAttempts") + countedIn(run, before, truth, "received"),
    mayMiss: since(truth.host.attempted, from) + since(truth.host.received, from),
  }));
  const sum = (name: "counted" | "kept" | "mayMiss") => each.reduce((total, one) => total + one[name], 0);
  return { counted: sum("counted"), kept: sum("kept"), mayMiss: sum("mayMiss") };
}

/** One user at one server: the file beside the truth. `atMost` is how far the file may be short of the brokers. */
export interface Line {
  readonly userId: string;
  readonly server: string;
  readonly name: "sent" | "received";
  readonly past: number;
  readonly session: number;
  readonly overall: number;
  readonly brokers: number;
  readonly atMost: number;
}

export function linesOf(evidence: Evidence): Line[] {
  const last = evidence.runs.at(-1);
  if (!last) return [];
  return last.truth.flatMap(({ userId, server }) =>
    (["sent", "received"] as const).map((name) => {
      const key = last.reading.servers.find((one) => one.userId === userId && one.server === server);
      const truths = evidence.runs.map((run) => ({ run, truth: truthIn(run, userId, server) }));
      const brokers = truths.reduce((sum, { truth }) => sum + seenByBroker(truth, name), 0);
      const atMost = truths.reduce((sum, { run, truth }) => {
        const onTheWay = seenByBroker(truth, name) - truth.host[name].length;
        return sum + onTheWay + since(truth.host[name], lossBegins(run, evidence));
      }, 0);
      const numbers = { past: key?.past[name] ?? 0, session: key?.session[name] ?? 0 };
      return {
        userId,
        server,
        name,
        ...numbers,
        overall: overall(last.reading, { userId, server }, name),
        brokers,
        atMost,
      };
    }),
  );
}

function seenByBroker(truth: KeyTruth, name: Line["name"]): number {
  return truth.broker[name === "sent" ? "accepted" : "delivered"].length;
}

function truthIn(run: RunEvidence, userId: string, server: string): KeyTruth {
  const found = run.truth.find((one) => one.userId === userId && one.server === server);
  if (!found) throw new Error("a run without its truth");
  return found;
}

import { existsSync } from "node:fs";
import { type Entry, readLedger, WHAT } from "../../oracle/ledger.ts";
import { type Child, startChild } from "../../processes.ts";
import type { Answer, HostSpec, Order } from "./orders.ts";

type Told = Order extends infer Each ? (Each extends Order ? Omit<Each, "id"> : never) : never;

/** A host in a process of its own. */
export interface Host {
  /** Resolves when it is done. Orders may overlap. */
  tell(order: Told): Promise<void>;
  freeze(): void;
  thaw(): void;
  end(): Promise<void>;
  entries(): readonly Entry[];
  /** The session that it is in. */
  session(): number;
  /** How many of its commits were reported as failed. */
  failedCommits(): number;
}

const PATIENCE_MS = 60_000;

export async function startHost(spec: HostSpec, folder: string): Promise<Host> {
  const child = startChild("trials/stale/host", spec, folder, { orders: true });
  const { answered, failedCommits } = answersOf(child);
  const entries = () => (existsSync(spec.ledger) ? readLedger(spec.ledger) : []);
  let last = 0;
  await answered(last);
  return {
    tell(order) {
      const id = ++last;
      child.send({ ...order, id });
      return answered(id);
    },
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
    async end() {
      child.kill("SIGKILL");
      await child.ended;
    },
    entries,
    session: () => entries().findLast(({ what }) => what === WHAT.session)?.amount ?? -1,
    failedCommits,
  };
}

function answersOf(child: Child) {
  const waiting = new Map<number, () => void>();
  let failed = 0;
  child.onMessage((message) => {
    const answer = message as Answer;
    failed = answer.failed;
    waiting.get(answer.id)?.();
    waiting.delete(answer.id);
  });
  const answered = (id: number) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("a host did not answer")), PATIENCE_MS);
      waiting.set(id, () => {
        clearTimeout(timer);
        resolve();
      });
      child.ended.then(({ code, signal }) => {
        clearTimeout(timer);
        reject(new Error(`a host ended with ${signal ?? code}`));
      }, reject);
    });
  return { answered, failedCommits: () => failed };
}

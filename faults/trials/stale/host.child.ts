/** A host that counts and saves as it is told, so that it can be frozen, and its commits fail, when the trial wants it. */
import { setTimeout as sleep } from "node:timers/promises";
import { type AgentStats, openAgentStats, StatsError } from "agent-stats";
import { codeNumber } from "../../child/problems.ts";
import type { Phase } from "../../child/spec.ts";
import { burstsOf } from "../../child/steps.ts";
import { type LifeStore, openStore, watched } from "../../child/store.ts";
import { openLedger, WHAT, type What } from "../../oracle/ledger.ts";
import { protocol, serverOf, userOf } from "../../oracle/names.ts";
import { randomOf } from "../../random.ts";
import type { Answer, HostSpec, Order } from "./orders.ts";

const FLUSH_EVERY_MS = 50;
const PAUSE_MS = 3;
const AGAIN_AFTER_MS = 10;

const spec = JSON.parse(process.argv[2] ?? "") as HostSpec;
const ledger = openLedger(spec.ledger);
const random = randomOf(spec.seed);
let failPercent = 0;
let failed = 0;
let isCounting = false;
let counting: Promise<void> = Promise.resolve();
let { stats, opened } = await open();

async function open(): Promise<{ stats: AgentStats; opened: LifeStore }> {
  const store = openStore(spec, () => {
    const fails = random.percent(failPercent);
    if (fails) failed += 1;
    return fails;
  });
  const silent = (_phase: Phase) => {};
  const watch = { begins: silent, ends: silent, session: (id: number) => ledger.note(WHAT.session, { amount: id }) };
  return {
    opened: store,
    stats: await openAgentStats({
      protocols: [protocol],
      store: watched(store.store, false, watch),
      flushEvery: FLUSH_EVERY_MS,
      onProblem: (problem) => problem && !isOfFault(problem) && ledger.note(WHAT.problem, { amount: codeOf(problem) }),
    }),
  };
}

async function obey(order: Order): Promise<void> {
  switch (order.do) {
    case "count":
      isCounting = true;
      counting = count(order);
      return;
    case "settle":
      return settle();
    case "reopen":
      await settle();
      await again(() => stats.close());
      opened.host?.handle.close();
      ({ stats, opened } = await open());
      return;
    case "delete":
      return told(WHAT.deleting, WHAT.deleted, { user: order.user }, () => stats.deleteUser(userOf(order.user)));
    case "reset":
      return told(WHAT.resetting, WHAT.reset, { server: order.server }, () =>
        stats.reset({ server: serverOf(order.server) }),
      );
    case "fail commits":
      failPercent = order.percent;
  }
}

async function count(what: Extract<Order, { do: "count" }>): Promise<void> {
  const nothing = (_phase: Phase) => {};
  const life = { stats, ledger, opened, random, begins: nothing, ends: nothing, crash: async () => {} };
  const burst = burstsOf({ ...what, errors: true }, life);
  while (isCounting) {
    burst();
    await sleep(random.whole(0, PAUSE_MS));
  }
}

async function settle(): Promise<void> {
  isCounting = false;
  await counting;
  await told(WHAT.flush, WHAT.flushed, {}, () => stats.flush());
}

/** Only while commits are made to fail may anything be told, and that only. */
function isOfFault(error: unknown): boolean {
  return failPercent > 0 && error instanceof StatsError && error.code === "STATS_STORE_FAILED";
}

const codeOf = (error: unknown) => (error instanceof StatsError ? codeNumber(error) : -1);

/** Does it until it is acknowledged; each try is told. */
async function told(before: What, after: What, given: object, work: () => Promise<unknown>): Promise<void> {
  await again(async () => {
    ledger.note(before, given);
    await work();
    ledger.note(after, given);
  });
}

async function again(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isOfFault(error)) return ledger.note(WHAT.rejected, { amount: codeOf(error) });
      await sleep(AGAIN_AFTER_MS);
    }
  }
}

process.on("message", (order: Order) => {
  void obey(order).then(() => process.send?.({ id: order.id, failed } satisfies Answer));
});
process.on("disconnect", () => process.exit(0));
process.send?.({ id: 0, failed } satisfies Answer);

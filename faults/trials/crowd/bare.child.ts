/** The work of a member without the library, not even loaded: what its event loop suffers is the machine's doing. */
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { watchBlocking } from "../../child/blocked.ts";
import { endWithParent } from "../../child/orphan.ts";
import { openLedger, WHAT } from "../../oracle/ledger.ts";
import { randomOf } from "../../random.ts";
import { BURST, type MemberSpec, PAUSE_MS } from "./member-spec.ts";

const spec = (isMainThread ? JSON.parse(process.argv[2] ?? "") : workerData) as MemberSpec;
const ledger = openLedger(spec.ledger);
const random = randomOf(spec.seed);

if (isMainThread) {
  watchBlocking(ledger);
  endWithParent();
}
for (const thread of spec.threads) new Worker(new URL(import.meta.url), { workerData: thread });
for (;;) {
  for (let n = random.whole(...BURST); n > 0; n--) ledger.note(WHAT.phase);
  await sleep(random.whole(0, PAUSE_MS));
}

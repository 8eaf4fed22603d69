import { readFileSync } from "node:fs";
import { type Ledger, now, WHAT } from "../oracle/ledger.ts";
import { HEARTBEAT_MS } from "./timing.ts";

/**
 * Tells the ledger how long this process's event loop was blocked at most, whenever that is longer than before: how
 * late a timer came, without the time in which the thread was ready to run and the machine ran others.
 */
export function watchBlocking(ledger: Ledger): void {
  let last = now();
  let waited = waitedMs();
  let worst = 1;
  setInterval(() => {
    const at = now();
    const waitedNow = waitedMs();
    const blocked = at - last - HEARTBEAT_MS - (waitedNow - waited);
    if (blocked > worst) {
      worst = blocked;
      ledger.note(WHAT.blocked, { amount: blocked });
    }
    last = now();
    waited = waitedNow;
  }, HEARTBEAT_MS).unref();
}

/** How long the main thread waited for a processor so far; 0 where the system does not tell. */
function waitedMs(): number {
  try {
    const [, waitedNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
    return Number(waitedNs) / 1e6;
  } catch {
    return 0;
  }
}

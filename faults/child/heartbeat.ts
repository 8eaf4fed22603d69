import { type Ledger, now, WHAT } from "../oracle/ledger.ts";
import { HEARTBEAT_MS } from "./timing.ts";

/** Tells the ledger how late a timer of this thread can be, whenever that is worse than before. */
export function heartbeat(ledger: Ledger, beat?: Float64Array): void {
  let last = now();
  let worst = 2;
  const timer = setInterval(() => {
    const at = now();
    const late = at - last - HEARTBEAT_MS;
    if (late > worst) {
      worst = late;
      ledger.note(WHAT.late, { amount: late });
    }
    last = at;
    if (beat) beat[0] = at;
  }, HEARTBEAT_MS);
  timer.unref();
}

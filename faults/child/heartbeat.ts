import { type Ledger, now, WHAT } from "../oracle/ledger.ts";
import { HEARTBEAT_MS } from "./timing.ts";

/** Less is no stall, but how exact timers are. */
const TOLD_FROM_MS = 2;

/** Tells the ledger each time that a timer of this thread comes late: what is lost in a stall is excused by that one only. */
export function heartbeat(ledger: Ledger, beat?: Float64Array): void {
  let last = now();
  const timer = setInterval(() => {
    const at = now();
    const late = at - last - HEARTBEAT_MS;
    if (late > TOLD_FROM_MS) ledger.note(WHAT.late, { amount: late });
    last = at;
    if (beat) beat[0] = at;
  }, HEARTBEAT_MS);
  timer.unref();
}

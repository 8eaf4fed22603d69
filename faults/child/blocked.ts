import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { type Ledger, now, WHAT } from "../oracle/ledger.ts";
import { HEARTBEAT_MS } from "./timing.ts";

/** Less is every turn's own work. */
const NOTED_FROM_MS = 20;

/** Tells the ledger of each time that this thread's event loop was blocked by what ran in it. */
export function watchBlocking(ledger: Ledger): void {
  let last = { ...told(), ...timed() };
  setInterval(() => {
    const ended = timed();
    // To ask the system takes a while, which is not the loop's: a turn ends before it is asked, and begins after.
    const asked = told();
    const blocked = blockedMs(last, { ...ended, ...asked });
    if (blocked > NOTED_FROM_MS) ledger.note(WHAT.blocked, { amount: blocked });
    last = { ...asked, ...timed() };
  }, HEARTBEAT_MS).unref();
}

/** The same of what the machine does to a thread that uses no library: tells each time that its timer came late. */
export function watchLateness(ledger: Ledger): void {
  let last = now();
  setInterval(() => {
    const late = now() - last - HEARTBEAT_MS;
    if (late > NOTED_FROM_MS) ledger.note(WHAT.late, { amount: late });
    last = now();
  }, HEARTBEAT_MS).unref();
}

/** What a thread went through up to a moment; all in ms but the number of times that it went to sleep. */
export interface Passed {
  readonly at: number;
  /** Its event loop had nothing to do. */
  readonly idle: number;
  /** It had a processor. */
  readonly ran: number;
  /** It was ready to run, and the machine ran others. */
  readonly waited: number;
  /** The same of all threads of its process together. */
  readonly allWaited: number;
  readonly sleeps: number;
}

/**
 * How long the turns between two moments took by what was done in them, and not by the machine. That is what they had of
 * a processor, and what they slept, waiting for a lock, the disk or another thread.
 *
 * - A thread that waits for another one waits no longer than that one works: the rest is the machine's, which let it wait.
 * - A thread that never went to sleep, and neither ran nor was made to wait, stood still with the whole machine, as
 *   virtual ones do. Having nothing to do is one sleep.
 * - Where the machine let it wait for most of the time, only what it ran can be told.
 */
export function blockedMs(from: Passed, to: Passed): number {
  const since = (of: keyof Passed) => to[of] - from[of];
  const busy = since("at") - since("idle");
  const ran = Math.min(busy, since("ran"));
  const isTold = since("sleeps") > (since("idle") > 0 ? 1 : 0) && since("waited") < since("at") / 2;
  // A thread that has ended took what it had waited out of the sum.
  const waited = Math.max(since("waited"), since("allWaited"));
  const slept = isTold ? Math.max(0, busy - ran - waited) : 0;
  // Several turns may have passed; the longest is no longer than the timer was late.
  return Math.min(ran + slept, since("at") - HEARTBEAT_MS);
}

const OWN = "/proc/thread-self";
const ALL = "/proc/self/task";

const timed = () => ({ at: now(), idle: performance.nodeTiming.idleTime });

/** Where the system does not tell, all that is not idle is taken for blocked. */
function told() {
  try {
    const [ran, waited] = scheduled(OWN);
    const sleeps = Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(answerOf(`${OWN}/status`))?.[1]);
    return { ran, waited, allWaited: waitedByAll(), sleeps };
  } catch {
    return { ran: now(), waited: 0, allWaited: 0, sleeps: 0 };
  }
}

function waitedByAll(): number {
  let sum = 0;
  for (const thread of readdirSync(ALL)) {
    try {
      sum += scheduled(`${ALL}/${thread}`)[1];
    } catch {
      // It has just ended.
    }
  }
  return sum;
}

/** How long a thread ran, and how long it waited for that. */
function scheduled(thread: string): [ran: number, waited: number] {
  const [ran, waited] = answerOf(`${thread}/schedstat`).split(" ");
  return [Number(ran) / 1e6, Number(waited) / 1e6];
}

const ANSWER = Buffer.alloc(4_096);

/** The system answers in one read, and it is asked very often. */
function answerOf(path: string): string {
  const fd = openSync(path, "r");
  try {
    return ANSWER.toString("latin1", 0, readSync(fd, ANSWER));
  } finally {
    closeSync(fd);
  }
}

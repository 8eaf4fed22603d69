import { setTimeout as sleep } from "node:timers/promises";
import { WHAT } from "../oracle/ledger.ts";
import type { EndingOfLife } from "./spec.ts";
import type { Life } from "./steps.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Ends this process in that way. Resolves where it ends by itself a moment later. */
export async function endLife(
  how: EndingOfLife,
  { stats, ledger, crash }: Life,
  withoutHandlers: boolean,
): Promise<void> {
  if (withoutHandlers) {
    for (const event of ["exit", ...SIGNALS]) process.removeAllListeners(event);
  }
  if (how === "stuck") {
    ledger.note(WHAT.hang);
    for (;;);
  }
  if (how === "crash") {
    // The next save finds the thread gone in the middle of it, and the one after that must hold everything.
    const under = stats.flush().catch(() => {});
    await crash();
    await under;
  }
  ledger.note(WHAT.ending);
  if (how === "close" || how === "crash") {
    ledger.note(WHAT.closing);
    await stats.close();
    ledger.note(WHAT.closed);
    process.exit(0);
  }
  if (how === "exit") process.exit(0);
  if (how === "throw") throw new Error("thrown on purpose");
  if (how === "reject") void Promise.reject(new Error("rejected on purpose"));
  if (how === "empty") return;
  if (how !== "reject") process.kill(process.pid, how);
  // A signal to oneself arrives a moment later.
  await sleep(5_000);
}

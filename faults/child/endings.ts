import { setTimeout as sleep } from "node:timers/promises";
import { now, WHAT } from "../oracle/ledger.ts";
import type { Death } from "./crash.ts";
import { deathIn, type Step } from "./spec.ts";
import { burstsOf, type Life } from "./steps.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Longer than any signal needs to arrive. */
const ARRIVES_WITHIN_MS = 5_000;
const STUCK_BURST_EVERY_MS = 3;
const ONE = { users: [1, 2], servers: [1], errors: false } as const;

/** Ends this process in that way. Resolves where it ends by itself a moment later. */
export async function endLife(
  { how, midSave }: Extract<Step, { do: "end" }>,
  life: Life,
  withoutHandlers: boolean,
): Promise<void> {
  const { stats, ledger } = life;
  if (withoutHandlers) for (const event of ["exit", ...SIGNALS]) process.removeAllListeners(event);
  if (midSave) void stats.flush().catch(() => {});
  if (how === "stuck" || how === "stuck counting") beStuck(life, how === "stuck counting");
  const death = deathIn(how);
  if (death) await threadDies(death, life);
  ledger.note(WHAT.ending);
  switch (how) {
    case "close":
    case "thread terminated":
    case "thread exits":
    case "thread throws":
      ledger.note(WHAT.closing);
      await stats.close();
      ledger.note(WHAT.closed);
      return process.exit(0);
    case "exit":
      return process.exit(0);
    case "empty":
      return;
    case "throw":
      setImmediate(() => {
        throw new Error("thrown on purpose");
      });
      break;
    case "reject":
      void Promise.reject(new Error("rejected on purpose"));
      break;
    default:
      process.kill(process.pid, how as NodeJS.Signals);
  }
  await sleep(ARRIVES_WITHIN_MS);
}

/** The database's thread ends in the middle of a save: the next one must hold everything. */
async function threadDies(death: Death, life: Life): Promise<void> {
  const { stats, crash, random } = life;
  burstsOf(ONE, life)();
  const dead = death === "terminated" ? null : crash(death);
  const saving = stats.flush().catch(() => {});
  if (!dead) await sleep(random.whole(0, 2));
  await (dead ?? crash(death));
  await saving;
}

/** Never answers again. What it counted last, it had no time to save itself. */
function beStuck(life: Life, isCounting: boolean): never {
  const burst = burstsOf(ONE, life);
  burst();
  life.ledger.note(WHAT.hang);
  life.begins("stuck");
  for (let next = now(); ; ) {
    if (!isCounting || now() < next) continue;
    next = now() + STUCK_BURST_EVERY_MS;
    burst();
  }
}

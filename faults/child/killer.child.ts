/**
 * A thread beside the one under test that ends their process by SIGKILL, so long after it was told to: nothing that the
 * main thread or the database is about can delay it.
 */
import { workerData } from "node:worker_threads";
import { now, openLedger, WHAT } from "../oracle/ledger.ts";

export interface KillerData {
  readonly ledger: string;
  /** 0 until the moment has begun; then 1. */
  readonly begun: Int32Array;
  /** When the main thread's heart beat last, by the ledger's clock. */
  readonly heartbeat: Float64Array;
  readonly delayMs: number;
}

/** Shorter than this, sleeping is too coarse. */
const SPIN_MS = 0.3;

const { ledger: path, begun, heartbeat, delayMs } = workerData as KillerData;
const ledger = openLedger(path);
Atomics.wait(begun, 0, 0);
const due = now() + delayMs;
const asleep = delayMs - SPIN_MS;
if (asleep > 0) Atomics.wait(begun, 0, 1, asleep);
while (now() < due);
ledger.note(WHAT.kill, { amount: Math.max(0, now() - (heartbeat[0] ?? 0)) });
process.kill(process.pid, "SIGKILL");

/**
 * Loaded into the thread of a database before the library, which knows nothing of it: when it is told to, the thread dies
 * by itself at its next commit. It exits within the transaction, which stays open; or the commit is done, and an
 * exception that nobody catches comes right after the answer.
 */
import { getEnvironmentData } from "node:worker_threads";
import { databaseClass } from "../oracle/drivers.ts";
import { DEATH_ORDER, DEATHS, type DeathOrder } from "./crash.ts";

const { driver, how } = getEnvironmentData(DEATH_ORDER) as unknown as DeathOrder;
const { prototype } = databaseClass(driver);
const { exec } = prototype;
prototype.exec = function (this: typeof prototype, sql: string) {
  // Its successor is to live.
  const death = sql === "COMMIT" ? DEATHS[Atomics.exchange(how, 0, 0)] : null;
  if (death === "exits") process.exit(1);
  const result = exec.call(this, sql);
  if (death === "throws") {
    queueMicrotask(() => {
      throw new Error("thrown on purpose");
    });
  }
  return result;
};

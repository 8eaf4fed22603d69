import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { expect, test } from "vitest";
import type { StoreCalls } from "../store.ts";
import { type DriverName, loadDriver } from "./drivers.ts";
import { describeDrivers, KEY, temporaryFolder } from "./files.testing.ts";

/** A store whose thread has the file open, and another connection that can hold the file against it. */
async function opened(driver: DriverName) {
  const file = join(temporaryFolder(), "stats.db");
  const store = sqlcipherStore({ file, key: KEY, driver });
  await store.begin({ startedAt: 1, flushEveryMs: 1, seen: null });
  const { open, beforeKey } = loadDriver(driver);
  const other = open(file);
  other.exec(`${beforeKey}; PRAGMA key = "x'${KEY}'"`);
  return { store, now: store.now as StoreCalls, other };
}

describeDrivers("the thread of the database", (driver) => {
  test("waits for the file, and the host's thread does not", async () => {
    const { store, other } = await opened(driver);
    other.exec("BEGIN IMMEDIATE");
    let folded: number | null = null;
    const folding = store.fold().then((count) => {
      folded = count;
    });
    for (let turn = 0; turn < 20; turn++) await sleep(5);
    expect(folded, "it waits still, and this thread had its turns").toBeNull();
    other.exec("ROLLBACK");
    await folding;
    expect(folded).toBe(0);
    await store.close();
    other.close();
  });

  test("that is waited for too long is left behind, and its late answer is not taken for another", async () => {
    const { store, now, other } = await opened(driver);
    other.exec("BEGIN IMMEDIATE");
    expect(() => now.fold()).toThrow(expect.objectContaining({ code: "STATS_BUSY" }));
    other.exec("ROLLBACK");
    expect(now.sessions()).toMatchObject([{ session: 1, how: null }]);
    expect(now.hours(0, 1)).toEqual([]);
    await store.close();
    other.close();
  });

  test("opens the file again after it was closed, at once or later", async () => {
    const { store, now, other } = await opened(driver);
    await store.close();
    expect(now.sessions()).toMatchObject([{ session: 1, how: "killed" }]);
    now.close();
    await store.close();
    now.close();
    expect(await store.sessions()).toHaveLength(1);
    await store.close();
    other.close();
  });

  test("is another one than a thread of the host's that opens the store, and leaves that one's messages alone", async () => {
    const options = { file: join(temporaryFolder(), "stats.db"), key: KEY, driver };
    const library = JSON.stringify(import.meta.resolve("agent-stats/sqlcipher"));
    const host = `const { parentPort, workerData } = require("node:worker_threads");
      parentPort.once("message", async (hello) => {
        const { sqlcipherStore } = await import(${library});
        const store = sqlcipherStore(workerData);
        const { session } = await store.begin({ startedAt: 1, flushEveryMs: 1, seen: null });
        await store.close();
        parentPort.postMessage({ hello, session });
      });`;
    const worker = new Worker(host, { eval: true, workerData: options });
    worker.postMessage("hello");
    expect(await once(worker, "message")).toEqual([{ hello: "hello", session: 1 }]);
    await worker.terminate();
  });

  test("is not ended while somebody waits for it", async () => {
    const { store, other } = await opened(driver);
    other.exec("BEGIN IMMEDIATE");
    const closing = store.close();
    const folding = store.fold();
    await closing;
    await sleep(50);
    other.exec("ROLLBACK");
    expect(await folding, "the session that was open here").toBe(1);
    await store.close();
    other.close();
  });
});

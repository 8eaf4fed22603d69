/** A keeper that could not close, and another one that goes on with its recorder: nothing is lost, and nothing counted twice. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import type { SaveBatch, StatsStore } from "../store/store.ts";
import { keepStats } from "./open.ts";

const smp = defineProtocol("smp", { sent: "sent" });
const NEVER = { flushEvery: 3_600_000, onProblem: () => {} };

/** A store in which saves fail, before they are made or after. */
function failing(database: MemoryDatabase, when: { fails: "before" | "after" | "never" }): StatsStore {
  const { now: _, ...inner } = memoryStore(database);
  return {
    ...inner,
    async save(batch: SaveBatch) {
      if (when.fails === "before") throw new Error("before");
      const result = await inner.save(batch);
      if (when.fails === "after") throw new Error("after");
      return result;
    },
  };
}

async function overallAfter(fails: "before" | "after", next?: MemoryDatabase, failed = 0) {
  const database = new MemoryDatabase();
  const recorder = new Recorder({ protocols: [smp] });
  const when: { fails: "before" | "after" | "never" } = { fails: "never" };
  const first = await keepStats({ agent: recorder, store: failing(database, when), ...NEVER });
  const server = recorder.server(smp, 1, "smp://a");
  server.add("sent", 100);
  await first.flush();
  server.add("sent", 5);
  when.fails = fails;
  await expect(first.close()).rejects.toMatchObject({ code: "STATS_STORE_FAILED" });
  when.fails = "never";
  server.add("sent", 1);
  for (let keeper = 0; keeper < failed; keeper++) {
    const store = { ...memoryStore(database), sums: () => Promise.reject(new Error("not yet")) };
    const between = await keepStats({ agent: recorder, store, ...NEVER });
    await between.close().catch(() => {});
  }
  const second = await keepStats({ agent: recorder, store: memoryStore(next ?? database), ...NEVER });
  await second.flush();
  const { servers } = await second.getServersStats();
  await second.close();
  return servers.map(({ overall }) => overall.sent);
}

describe("a keeper that goes on from one that could not close", () => {
  test.each(["before", "after"] as const)("counts once what failed %s it was saved", async (fails) => {
    expect(await overallAfter(fails)).toEqual([106]);
  });

  test.each(["before", "after"] as const)("and so does one after that, where it failed %s", async (fails) => {
    expect(await overallAfter(fails, undefined, 2)).toEqual([106]);
  });

  test("counts in another database what the first does not hold, whatever sessions that has", async () => {
    const other = new MemoryDatabase();
    const recorder = new Recorder({ protocols: [smp] });
    const theirs = await keepStats({ agent: recorder, store: memoryStore(other), ...NEVER });
    for (let saves = 0; saves < 5; saves++) {
      recorder.server(smp, 9, "smp://a").add("sent");
      await theirs.flush();
    }
    await theirs.close();
    // A session is known by its number and by when it began.
    await sleep(5);
    expect(await overallAfter("before", other)).toEqual([5, 6]);
  });
});

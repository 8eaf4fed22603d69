/** A deletion whose names still stand in freed pages: it is gone on with by itself, and told when it is done. */
import { describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import type { Erased, StatsStore } from "../store/store.ts";
import { openAgentStats } from "./open.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const NEVER = { flushEvery: 3_600_000, onProblem: () => {} };

describe("an erasure that is pending", () => {
  /** A store whose erasures wait for somebody until the test lets them, and how often it was asked. */
  async function erasing() {
    const held = { by: true, asked: 0 };
    const far = (): Erased => (held.by ? "pending" : "physically");
    const erase = async () => {
      held.asked++;
      return far();
    };
    const database = new MemoryDatabase();
    const inner = memoryStore(database);
    const deleteUser: StatsStore["deleteUser"] = async (...args) => ({
      ...(await inner.deleteUser(...args)),
      erased: far(),
    });
    const onErased = vi.fn();
    held.by = false;
    const store = { ...inner, erase, deleteUser };
    const stats = await openAgentStats({ protocols: [smp], store, flushEvery: 50, onErased, onProblem: () => {} });
    await vi.waitFor(() => expect(held.asked).toBe(1));
    stats.server(smp, 1, "a").add("sent", 5);
    await stats.flush();
    held.asked = 0;
    return { held, onErased, stats };
  }

  test.each<[what: string, erase: (stats: Awaited<ReturnType<typeof erasing>>["stats"]) => Promise<unknown>]>([
    ["a deletion", (stats) => stats.deleteUser(1)],
    ["a reset", (stats) => stats.reset()],
  ])("after %s is tried again by itself, and is told once when it is done", async (_what, erase) => {
    const { held, onErased, stats } = await erasing();
    held.by = true;
    await erase(stats);
    await vi.waitFor(() => expect(held.asked).toBeGreaterThan(2));
    expect(onErased).not.toHaveBeenCalled();
    held.by = false;
    await vi.waitFor(() => expect(onErased).toHaveBeenCalledTimes(1));
    const asked = held.asked;
    stats.server(smp, 2, "b").add("sent", 1);
    await stats.flush();
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect([held.asked, onErased.mock.calls.length]).toEqual([asked, 1]);
    await stats.close();
  });

  test("that was none is not asked for again, and not told", async () => {
    const { held, onErased, stats } = await erasing();
    expect(await stats.deleteUser(1)).toEqual({ erased: "physically" });
    stats.server(smp, 2, "b").add("sent", 1);
    await stats.flush();
    expect([held.asked, onErased.mock.calls.length]).toEqual([0, 0]);
    await stats.close();
  });

  test("may be nobody's to hear of", async () => {
    const inner = memoryStore();
    const far: Erased[] = ["pending"];
    const store = { ...inner, erase: async () => far.shift() ?? ("physically" as const) };
    const stats = await openAgentStats({ store, ...NEVER });
    await stats.flush();
    await stats.flush();
    expect(stats.problem).toBeNull();
    await stats.close();
  });
});

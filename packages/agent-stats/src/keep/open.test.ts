/** What a host may ask for, and what it is told where that cannot be. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { memoryStore } from "../store/memory.ts";
import { type KeepOptions, openAgentStats } from "./open.ts";
import { readAgentStats } from "./read.ts";
import { watched } from "./watched.testing.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const xftp = defineProtocol("xftp", { sent: "files sent" });

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("a timeline", () => {
  const keys = [
    [smp, "1", "smp://a"],
    [smp, "1", "smp://b"],
    [smp, "2", "smp://a"],
    [xftp, "1", "smp://a"],
  ] as const;

  test("shows all, or what its protocol, user and server name; by whoever looks", async () => {
    const store = memoryStore();
    const stats = await openAgentStats({ protocols: [smp, xftp], store });
    for (const [protocol, userId, server] of keys) stats.server(protocol, userId, server).add("sent");
    await stats.flush();
    const view = readAgentStats({ store });
    const indexOf = (entry: { protocol: string; userId: string; server: string }) =>
      keys.findIndex(
        ([{ name }, user, server]) =>
          `${name} ${user} ${server}` === `${entry.protocol} ${entry.userId} ${entry.server}`,
      );
    for (const reader of [stats, view]) {
      const shown = async (...range: Parameters<typeof reader.getTimeline>) =>
        (await reader.getTimeline(...range)).map(indexOf).sort();
      expect(await shown()).toEqual([0, 1, 2, 3]);
      expect(await shown({})).toEqual([0, 1, 2, 3]);
      expect(await shown({ protocol: "smp" })).toEqual([0, 1, 2]);
      expect(await shown({ userId: 1 })).toEqual([0, 1, 3]);
      expect(await shown({ userId: "2", by: "day" })).toEqual([2]);
      expect(await shown({ server: "smp://b" })).toEqual([1]);
      expect(await shown({ protocol: "xftp", userId: 1, server: "smp://a" })).toEqual([3]);
      expect(await shown({ protocol: "xftp", userId: 2 })).toEqual([]);
      expect(await shown({ to: new Date(0) })).toEqual([]);
    }
    await stats.close();
  });
});

describe("what cannot be", () => {
  const open = (options: Partial<KeepOptions>) => openAgentStats({ store: memoryStore(), ...options });

  test.each([undefined, null, "stats.db"])("is no store: %s", async (store) => {
    const opening = openAgentStats({ protocols: [smp], store: store as never });
    await expect(opening).rejects.toThrow(TypeError);
    await expect(opening).rejects.toThrow("store says where the numbers are kept");
  });

  test("is refused when it is asked for, in words that say what can be", async () => {
    await expect(open({ flushEvery: 49 })).rejects.toThrow("flushEvery is a number of milliseconds, at least 50");
    await expect(open({ keepHistory: -1 })).rejects.toThrow("keepHistory is a number of days, at least 0");
    const stats = await open({ flushEvery: 50, keepHistory: 0 });
    await expect(stats.reset({ user: "1" } as object)).rejects.toThrow(/no fields but protocol.*nothing was reset/);
    for (const scope of [null, "smp", 5, true]) {
      await expect(stats.reset(scope as never)).rejects.toThrow(/nothing was reset/);
    }
    await stats.close();
    await expect(stats.flush()).rejects.toThrow(/are closed: open them again/);
  });

  test("a problem goes to the console where the process takes no warning, once, and nothing when it is over", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => {});
    for (const emitWarning of [undefined, "no function"]) {
      const watch = watched();
      watch.fails = { code: "STATS_DISK_FULL", when: "before" };
      // All else stays: what runs the tests needs a process meanwhile.
      vi.stubGlobal("process", Object.create(process, { emitWarning: { value: emitWarning } }));
      const stats = await openAgentStats({ store: watch.store });
      await stats.flush().catch(() => {});
      watch.fails = null;
      await stats.flush();
      vi.unstubAllGlobals();
      expect(warned.mock.calls).toEqual([["STATS_DISK_FULL: It fails on demand."]]);
      warned.mockClear();
      await stats.close();
    }
  });
});

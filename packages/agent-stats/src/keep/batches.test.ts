/** What one save holds: no more than the store wants at once, whole rows, and numbers of one moment. */
import { describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import type { SaveBatch } from "../store/store.ts";
import { openAgentStats } from "./open.ts";

const smp = defineProtocol("smp", { sent: "sent", received: "received", refused: "refused" });
const NEVER = { flushEvery: 3_600_000, onProblem: () => {} };

/** Statistics in a store that takes so many cells at once, and what it is given to save. */
async function keeping(largestBatch: number | undefined, database = new MemoryDatabase()) {
  const inner = memoryStore(database);
  const saves: SaveBatch[] = [];
  const save = (batch: SaveBatch) => {
    saves.push(batch);
    return inner.save(batch);
  };
  const store = { ...inner, save, ...(largestBatch !== undefined && { largestBatch }) };
  const stats = await openAgentStats({ protocols: [smp], store, ...NEVER });
  /** Counts 1, 10 and 100 on each of so many servers. */
  const count = (servers: number) => {
    for (let i = 0; i < servers; i++) {
      const server = stats.server(smp, 1, `smp://${i}`);
      server.add("sent", 1);
      server.add("received", 10);
      server.add("refused", 100);
    }
  };
  return { stats, saves, count, inner };
}

const rowsOf = ({ cells }: SaveBatch) => [...cells].filter((_, i) => i % 3 === 0);

describe("a large save", () => {
  test.each([
    [undefined, [15]],
    [15, [15]],
    [14, [12, 3]],
    [7, [6, 6, 3]],
    [6, [6, 6, 3]],
    [5, [3, 3, 3, 3, 3]],
    // At least one row, however many counters it has.
    [1, [3, 3, 3, 3, 3]],
  ])("into a store that takes %j cells at once is one of %j", async (largestBatch, expected) => {
    const { stats, saves, count, inner } = await keeping(largestBatch);
    count(5);
    await stats.flush();
    expect(saves.map(({ cells }) => cells.length / 3)).toEqual(expected);
    const rows = saves.map((batch) => [...new Set(rowsOf(batch))]);
    expect(rows.flat()).toEqual([0, 1, 2, 3, 4]);
    expect(saves.map(({ keys }) => keys.map(([row]) => row))).toEqual(rows);
    expect(saves.map(({ save }) => save)).toEqual(expected.map((_, i) => i + 1));
    const values = new Map(
      saves.flatMap(({ cells }) =>
        Array.from({ length: cells.length / 3 }, (_, i) => [`${cells[i * 3]} ${cells[i * 3 + 1]}`, cells[i * 3 + 2]]),
      ),
    );
    expect([...values.values()]).toEqual(Array(5).fill([1, 10, 100]).flat());
    // Only what changed since, and without keys that are known.
    stats.server(smp, 1, "smp://3").add("received", 5);
    await stats.flush();
    expect([...(saves.at(-1)?.cells ?? [])]).toEqual([3, 1, 15]);
    expect(saves.at(-1)).toMatchObject({ keys: [], save: expected.length + 1 });
    await stats.close();
    const counted = (await inner.sums(null)).keys.flatMap(({ past, open }) => Object.values({ ...open, ...past }));
    expect(counted.reduce((sum, value) => sum + value, 0)).toBe(5 * 111 + 5);
  });

  test("says goodbye with its last part, and not before", async () => {
    const { stats, saves, count, inner } = await keeping(6);
    count(5);
    await stats.close();
    expect(saves.map(({ ending }) => ending)).toEqual([undefined, undefined, "close"]);
    expect((await inner.sessions()).map(({ how }) => how)).toEqual(["close"]);
  });

  test("holds what stood in memory when it began, whatever is counted between its parts", async () => {
    const { stats, saves, count } = await keeping(6);
    count(5);
    const flushed = stats.flush();
    await null;
    count(5);
    await flushed;
    const sent = saves.flatMap(({ cells }) => [...cells].filter((_, i) => i % 9 === 2));
    expect(new Set(sent).size).toBe(1);
    await stats.close();
  });
});

describe("a start from the past", () => {
  test("adds up what each session counted, and leaves other work of the thread its turn", async () => {
    const database = new MemoryDatabase();
    const SERVERS = 3_000;
    for (let session = 0; session < 2; session++) {
      const before = await keeping(undefined, database);
      before.count(SERVERS);
      await before.stats.close();
    }
    // On a machine so slow that every look at the clock finds the time of a step over.
    let clock = 0;
    const slow = vi.spyOn(performance, "now").mockImplementation(() => {
      clock += 3;
      return clock;
    });
    let turns = 0;
    const other = () => {
      turns += 1;
      next = setImmediate(other);
    };
    let next = setImmediate(other);
    const store = memoryStore(database);
    const stats = await openAgentStats({ protocols: [smp], store, startFrom: "past", ...NEVER });
    clearImmediate(next);
    slow.mockRestore();
    expect(turns).toBeGreaterThan(SERVERS / 100);
    const { servers } = stats.recorder.getServersStats();
    expect(servers).toHaveLength(SERVERS);
    const all = { sent: 2, received: 20, refused: 200 };
    expect(servers.every(({ session, total }) => JSON.stringify([session, total]) === JSON.stringify([{}, all]))).toBe(
      true,
    );
    await stats.close();
  });
});

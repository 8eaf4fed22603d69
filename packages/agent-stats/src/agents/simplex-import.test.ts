import { describe, expect, test } from "vitest";
import { keepStats } from "../keep/open.ts";
import { readAgentStats } from "../keep/read.ts";
import { memoryStore } from "../store/memory.ts";
import type { StatsStore } from "../store/store.ts";
import { address, type Entry, expectedRows, persisted, rowsByName } from "./simplex.testing.ts";
import { type Imported, importSimplex, parseSimplex, toPresentedServersSummary } from "./simplex.ts";

const START = "2026-05-04 03:02:01.5";
const RESET = "2026-06-04 03:02:01.5";
const [A, B] = [address("smp", "a"), address("smp", "b")];

type Counts = Readonly<Record<string, number>>;
const of = (user: number, server: string, stats: Counts): Entry => [[user, server], stats];
const sent = (n: number): Counts => ({ _sentDirect: n });

function row(entries: readonly Entry[], started_at = START) {
  return { servers_stats: JSON.stringify({ smpServersStats: entries }), started_at, updated_at: started_at };
}

async function rows(store: StatsStore) {
  const { servers } = await readAgentStats({ store }).getServersStats();
  return rowsByName(servers.map((server) => ({ ...server, numbers: server.overall })));
}

async function sums(store: StatsStore): Promise<Record<string, number>> {
  const found = [...(await rows(store))].map(([name, numbers]) => [name, numbers.sentDirect ?? 0] as const);
  return Object.fromEntries(found.map(([name, n]) => [name.replace(/smp:\S+@(\w).*/, "$1"), n]));
}

const take = (store: StatsStore, json: unknown): Promise<Imported> => importSimplex(store, parseSimplex(json));
const sessionsIn = async (store: StatsStore) => (await store.sessions()).length;

describe("importSimplex", () => {
  test("every number arrives under its user, server and name", async () => {
    const store = memoryStore();
    const saved = persisted([1, 2, 3], { smp: 20, xftp: 12, ntf: 8 });
    expect(await take(store, saved)).toEqual({
      changed: true,
      wentBack: false,
      othersLeftOut: false,
      users: 3,
      servers: 40,
    });
    expect(await rows(store)).toEqual(expectedRows(saved));
  });

  test("the same file twice changes nothing, not even the list of sessions", async () => {
    const store = memoryStore();
    await take(store, row([of(1, A, sent(5))]));
    expect(await take(store, row([of(1, A, sent(5))]))).toMatchObject({ changed: false });
    expect([await sums(store), await sessionsIn(store)]).toEqual([{ "smp 1 a": 5 }, 1]);
  });

  test("a later one adds the difference", async () => {
    const store = memoryStore();
    await take(store, row([of(1, A, sent(5))]));
    expect(await take(store, row([of(1, A, sent(8)), of(1, B, sent(2))]))).toMatchObject({
      changed: true,
      wentBack: false,
    });
    expect(await sums(store)).toEqual({ "smp 1 a": 8, "smp 1 b": 2 });
  });

  test("after a reset, all of it is added, in a session of its own", async () => {
    const store = memoryStore();
    await take(store, row([of(1, A, sent(5))]));
    expect(await take(store, row([of(1, A, sent(3))], RESET))).toMatchObject({ changed: true, wentBack: false });
    expect(await take(store, row([of(1, A, sent(4))], RESET))).toMatchObject({ changed: true });
    expect([await sums(store), await sessionsIn(store)]).toEqual([{ "smp 1 a": 9 }, 3]);
  });

  test("counters that went back under the same date are carried forward, however often, and across processes", async () => {
    const store = memoryStore();
    const taken = async (n: number) => (await take(store, row([of(1, A, sent(n))]))).wentBack;
    expect([await taken(100), await taken(30), await taken(50), await taken(50)]).toEqual([false, true, false, false]);
    expect(await sums(store)).toEqual({ "smp 1 a": 150 });
    expect([await taken(10), await taken(11)]).toEqual([true, false]);
    expect(await sums(store)).toEqual({ "smp 1 a": 161 });
    // What was imported before changes nothing, though it is of an earlier life.
    expect(await take(store, row([of(1, A, sent(100))]))).toMatchObject({ changed: false });
  });

  test("a server that is gone from its user means that all counters began anew", async () => {
    const store = memoryStore();
    await take(store, row([of(1, A, sent(5)), of(1, B, sent(7))]));
    expect(await take(store, row([of(1, B, sent(8))]))).toMatchObject({ wentBack: true });
    await take(store, row([of(1, A, sent(1)), of(1, B, sent(9))]));
    expect(await sums(store)).toEqual({ "smp 1 a": 6, "smp 1 b": 16 });
  });

  test("a user who is gone was deleted: nothing began anew", async () => {
    const store = memoryStore();
    await take(store, row([of(1, A, sent(5)), of(2, A, sent(7))]));
    expect(await take(store, row([of(2, A, sent(9))]))).toMatchObject({ wentBack: false });
    expect(await sums(store)).toEqual({ "smp 1 a": 5, "smp 2 a": 9 });
  });

  test("a life of which deletions left nothing hides no later one", async () => {
    const store = memoryStore();
    await take(store, row([of(1, A, sent(5))]));
    await take(store, row([of(1, A, sent(1)), of(2, A, sent(3))]));
    const kept = await keepStats({ store, agent: { getServersStats: () => null } });
    await kept.deleteUser(1);
    await kept.close();
    await take(store, row([of(2, A, sent(4))]));
    expect(await sums(store)).toEqual({ "smp 2 a": 4 });
  });

  test("a server keeps its first name when its hosts change", async () => {
    const store = memoryStore();
    const more = address("smp", "a", "a.example,b.onion");
    await take(store, row([of(1, A, sent(5))]));
    await take(store, row([of(1, more, sent(6))]));
    await take(store, row([of(1, more, sent(7)), of(2, more, sent(1))]));
    expect(await sums(store)).toEqual({ "smp 1 a": 7, "smp 2 a": 1 });
  });

  test("counters of a later version are kept under their names", async () => {
    const store = memoryStore();
    await take(store, row([of(1, A, { ...sent(5), _sentQuantum: 7 })]));
    await take(store, row([of(1, A, { ...sent(5), _sentQuantum: 9 })]));
    expect([...(await rows(store)).values()]).toEqual([{ sentDirect: 5, sentQuantum: 9 }]);
  });

  test("a file without a date goes on where the one before was", async () => {
    const store = memoryStore();
    for (const n of [5, 5, 8]) await take(store, { smpServersStats: [of(1, A, sent(n))] });
    expect(await sums(store)).toEqual({ "smp 1 a": 8 });
  });

  test("a store that fails is told, and nothing is kept; then it works", async () => {
    const store = memoryStore();
    const failing: StatsStore = { ...store, save: () => Promise.reject(new Error("disk")) };
    await expect(take(failing, row([of(1, A, sent(5))]))).rejects.toMatchObject({ code: "STATS_STORE_FAILED" });
    expect(await sums(store)).toEqual({});
    await take(store, row([of(1, A, sent(5))]));
    expect(await sums(store)).toEqual({ "smp 1 a": 5 });
  });
});

describe("presented summaries", () => {
  const counts = (numbers: readonly [number, number, number]) =>
    numbers.map((n, i) => ({ protocol: "smp", userId: `${i + 1}`, server: A, overall: { sentDirect: n }, live: {} }));
  const presented = (
    currentUser: number,
    numbers: readonly [number, number, number],
    at = "2026-05-04T03:02:01.5Z",
  ) => ({
    type: "agentServersSummary",
    user: { userId: currentUser, agentUserId: `${currentUser}` },
    serversSummary: toPresentedServersSummary(
      { trackedSince: new Date(at), servers: counts(numbers) },
      { currentUser, hiddenUsers: [] },
    ),
  });

  test("the current user and the others are told apart, and add up", async () => {
    const store = memoryStore();
    await take(store, presented(1, [5, 7, 11]));
    await take(store, presented(1, [6, 7, 13]));
    expect(await sums(store)).toEqual({ "smp 1 a": 6, "smp others a": 20 });
  });

  test("others who have less, as one of them was deleted, are no reset", async () => {
    const store = memoryStore();
    await take(store, presented(1, [5, 7, 11]));
    expect(await take(store, presented(1, [6, 0, 12]))).toMatchObject({ wentBack: false });
    expect(await sums(store)).toEqual({ "smp 1 a": 6, "smp others a": 18 });
  });

  test("a user whose numbers may be among the others' already is refused", async () => {
    const store = memoryStore();
    await take(store, presented(1, [5, 7, 11]));
    await expect(take(store, presented(2, [5, 7, 11]))).rejects.toMatchObject({ code: "SIMPLEX_OVERLAP" });
    expect(await sums(store)).toEqual({ "smp 1 a": 5, "smp others a": 18 });
  });

  test("others who are known by name are left out", async () => {
    const store = memoryStore();
    await take(store, row([of(1, A, sent(5)), of(2, A, sent(7)), of(3, A, sent(11))]));
    expect(await take(store, presented(2, [9, 8, 11]))).toMatchObject({ othersLeftOut: true, wentBack: false });
    expect(await sums(store)).toEqual({ "smp 1 a": 5, "smp 2 a": 8, "smp 3 a": 11 });
  });

  test("go on where the database of the same core was", async () => {
    const store = memoryStore();
    await take(store, row([of(1, A, sent(5))]));
    await take(store, presented(1, [5, 0, 0]));
    await take(store, presented(1, [8, 0, 0]));
    expect(await sums(store)).toEqual({ "smp 1 a": 8 });
  });
});

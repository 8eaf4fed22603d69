/** A user's own record and the user's statistics, in one database: they go together, or stay together. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { overall } from "../../keep/mirror.testing.ts";
import type { AgentStats } from "../../keep/open.ts";
import { describeDrivers } from "../sqlcipher/files.testing.ts";
import { type Host, hostOf, keepUsers, kept, openHandle, openHost, openIn, records, smp } from "./host.testing.ts";
import { type HostStore, sqliteStore } from "./store.ts";

const FIVE = { sent: 5 };
const ALL = { "1 smp://a": FIVE, "2 smp://a": FIVE, "10 smp://a": FIVE };
const { "1 smp://a": _, ...WITHOUT_1 } = ALL;

/** Counts for user 1 in every way, after it was deleted. */
function late(stats: AgentStats, handle: ReturnType<AgentStats["server"]>): void {
  handle.add("sent", 100);
  handle.counter("errors").add(100);
  stats.server(smp, 1, "smp://a").add("sent", 100);
  stats.server(smp, "1", "smp://late").add("sent", 100);
}

/** The ways in which a host can delete a user and its statistics at once. */
const WAYS: readonly [name: string, erase: (host: Host, store: HostStore, user: number) => void][] = [
  [
    "deleteUserWithin",
    (host, store, user) => {
      host.handle.prepare("DELETE FROM users WHERE user_id = ?").run([user]);
      store.deleteUserWithin(user);
    },
  ],
  [
    "a trigger",
    (host, store, user) => {
      store.installUserTrigger({ table: "users", column: "user_id" });
      host.handle.prepare("DELETE FROM users WHERE user_id = ?").run([user]);
    },
  ],
];

describeDrivers("users in a host's own database", (driver) => {
  describe.each(WAYS)("%s, in a transaction of the host's", (_name, erase) => {
    test("that commits: both are gone, for every reader, and late counts do not bring them back", async () => {
      const host = openHost(driver);
      const { store, stats } = await keepUsers(host);
      const handle = stats.server(smp, 1, "smp://a");
      host.handle.exec("BEGIN IMMEDIATE");
      erase(host, store, 1);
      late(stats, handle);
      host.handle.exec("COMMIT");
      expect([records(host), kept(host)]).toEqual([
        [2, 10],
        ["2", "10"],
      ]);
      late(stats, handle);
      await stats.flush();
      late(stats, handle);
      expect(overall(await stats.getServersStats())).toEqual(WITHOUT_1);
      expect(kept(host)).toEqual(["2", "10"]);
      expect((await stats.getTimeline()).map(({ userId }) => userId)).toEqual(["2", "10"]);
      await stats.close();
      const { stats: next } = await openIn(host);
      expect(overall(await next.getServersStats())).toEqual(WITHOUT_1);
      await next.close();
    });

    test("that is rolled back: both are there, and counting goes on", async () => {
      const host = openHost(driver);
      const { store, stats } = await keepUsers(host, { flushEvery: 50 });
      host.handle.exec("BEGIN");
      erase(host, store, 1);
      // While it is open, the keeper looks, and must not believe what it sees.
      await stats.getServersStats();
      await stats.flush().catch(() => {});
      await sleep(20);
      host.handle.exec("ROLLBACK");
      await stats.flush();
      expect(records(host)).toEqual([1, 2, 10]);
      expect(overall(await stats.getServersStats())).toEqual(ALL);
      stats.server(smp, 1, "smp://a").add("sent", 2);
      await stats.flush();
      expect(overall(await stats.getServersStats())).toEqual({ ...ALL, "1 smp://a": { sent: 7 } });
      await stats.close();
      expect(kept(host)).toEqual(["1", "2", "10"]);
    });

    test("of a user whom an old session counted, or whose counts are in the past", async () => {
      const host = openHost(driver);
      await (await keepUsers(host)).stats.close();
      const { store, stats } = await keepUsers(host);
      host.handle.exec("BEGIN");
      erase(host, store, 1);
      host.handle.exec("COMMIT");
      const ten = { sent: 10 };
      expect(overall(await stats.getServersStats())).toEqual({ "2 smp://a": ten, "10 smp://a": ten });
      await stats.close();
    });

    test("of a user without statistics, of one who does not exist, and twice", async () => {
      const host = openHost(driver);
      const { store, stats } = await keepUsers(host);
      host.handle.exec("INSERT INTO users VALUES (3, 'cora')");
      for (const user of [3, 99, 1, 1]) {
        host.handle.exec("BEGIN");
        erase(host, store, user);
        host.handle.exec("COMMIT");
      }
      expect(records(host)).toEqual([2, 10]);
      expect(overall(await stats.getServersStats())).toEqual(WITHOUT_1);
      await stats.close();
    });

    test("also where another process counts for that user: it hears of it with its next save", async () => {
      const host = openHost(driver);
      const { stats: other } = await keepUsers(hostOf(host.file, openHandle(driver, host.file)));
      const handle = other.server(smp, 1, "smp://a");
      const { store, stats } = await keepUsers(host);
      host.handle.exec("BEGIN IMMEDIATE");
      erase(host, store, 1);
      host.handle.exec("COMMIT");
      late(other, handle);
      other.server(smp, 2, "smp://a").add("sent", 1);
      await other.flush();
      late(other, handle);
      await other.close();
      expect(kept(host)).toEqual(["2", "10"]);
      expect(overall(await stats.getServersStats())).toEqual({ "2 smp://a": { sent: 11 }, "10 smp://a": { sent: 10 } });
      await stats.close();
    });

    test("a user id that is used again on purpose counts from zero", async () => {
      const host = openHost(driver);
      const { store, stats } = await keepUsers(host);
      host.handle.exec("BEGIN");
      erase(host, store, 1);
      host.handle.exec("COMMIT; INSERT INTO users VALUES (1, 'another')");
      await stats.flush();
      await stats.getServersStats();
      stats.addUser(1);
      stats.server(smp, 1, "smp://a").add("sent", 2);
      await stats.flush();
      expect(overall(await stats.getServersStats())).toEqual({ ...ALL, "1 smp://a": { sent: 2 } });
      await stats.close();
    });
  });

  test("the keeper hears of deleteUserWithin in a moment, although nothing is counted", async () => {
    const host = openHost(driver);
    const { store, stats } = await keepUsers(host);
    host.handle.exec("BEGIN");
    store.deleteUserWithin("1");
    host.handle.exec("COMMIT");
    const inMemory = () => stats.recorder.getServersStats().servers.map(({ userId }) => userId);
    await vi.waitFor(() => expect(inMemory()).toEqual(["2", "10"]));
    await stats.close();
  });

  test("deleteUserWithin a transaction that lasts: the keeper hears of it when it is over", async () => {
    const host = openHost(driver);
    const { store, stats } = await keepUsers(host, { flushEvery: 50 });
    host.handle.exec("BEGIN");
    store.deleteUserWithin(1);
    await sleep(120);
    const inMemory = () => stats.recorder.getServersStats().servers.map(({ userId }) => userId);
    expect([inMemory(), stats.problem?.code]).toEqual([["1", "2", "10"], "STATS_BUSY"]);
    host.handle.exec("COMMIT");
    await vi.waitFor(() => expect([inMemory(), stats.problem]).toEqual([["2", "10"], null]), 5_000);
    await stats.close();
  });

  test("deleteUserWithin does everything or nothing, also without a transaction, and where the host goes on", async () => {
    const host = openHost(driver);
    const { stats } = await keepUsers(host);
    // A handle that fails half way through the deletion, once.
    let statements = 0;
    const failing = {
      exec: (sql: string) => host.handle.exec(sql),
      close: () => {},
      prepare: (sql: string) => {
        const made = host.handle.prepare(sql);
        const run = (params: Parameters<typeof made.run>[0]) => {
          if (/^DELETE FROM agent_stats_key/.test(sql) && statements++ === 0) throw new Error("it fails half way");
          return made.run(params);
        };
        return { run, get: made.get.bind(made), all: made.all.bind(made) };
      },
    };
    const store = sqliteStore(failing);
    expect(() => store.deleteUserWithin(1)).toThrow(expect.objectContaining({ code: "STATS_STORE_FAILED" }));
    expect(kept(host)).toEqual(["1", "2", "10"]);
    expect(host.value("SELECT SUM(value) FROM agent_stats_count")).toBe(15);
    statements = 0;
    host.handle.exec("BEGIN; INSERT INTO users VALUES (3, 'cora')");
    expect(() => store.deleteUserWithin(1)).toThrow();
    host.handle.exec("COMMIT");
    expect(host.value("SELECT SUM(value) FROM agent_stats_count")).toBe(15);
    store.deleteUserWithin(1);
    expect([kept(host), records(host)]).toEqual([
      ["2", "10"],
      [1, 2, 3, 10],
    ]);
    expect(overall(await stats.getServersStats())).toEqual(WITHOUT_1);
    await stats.close();
  });
});

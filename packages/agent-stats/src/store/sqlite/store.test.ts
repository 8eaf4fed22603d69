import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { overall } from "../../keep/mirror.testing.ts";
import { openAgentStats } from "../../keep/open.ts";
import type { DriverName } from "../sqlcipher/drivers.ts";
import { describeDrivers, KEY } from "../sqlcipher/files.testing.ts";
import { count, hostOf, openHandle, openHost, openIn, pragmas, smp, sum, tables } from "./host.testing.ts";
import { sqliteStore } from "./store.ts";

describeDrivers("a host's own database", (driver) => {
  test("holds the statistics beside what is the host's own, which stays as it was", async () => {
    const host = openHost(driver);
    const content = () => host.all("SELECT users.*, body FROM users JOIN messages USING (user_id) ORDER BY user_id");
    const [before, names] = [content(), tables(host)];
    const { stats } = await openIn(host);
    count(stats);
    await stats.close();
    expect(content()).toEqual(before);
    expect(sum(host)).toBe(15);
    const ours = tables(host).filter((name) => !names.includes(name));
    expect(ours.length).toBeGreaterThan(5);
    for (const name of ours.filter((each) => !each.startsWith("sqlite_"))) expect(name).toMatch(/^agent_stats/);
    expect(host.value("SELECT json_extract(past_stats, '$[0].stats.sent') FROM agent_stats")).toBeNull();
    expect(host.value("SELECT json_extract(session_stats, '$[0].stats.sent') FROM agent_stats")).toBe(5);
  });

  test("may be an attached file: the statistics are there, and nothing of them in the main one", async () => {
    const host = openHost(driver);
    const file = join(dirname(host.file), "stats.db");
    host.handle.exec(`ATTACH '${file}' AS numbers KEY "x'${KEY}'"`);
    const before = tables(host);
    const { stats } = await openIn(host, { schema: "numbers" });
    count(stats);
    await stats.deleteUser(10);
    await stats.reset({ userId: 2 });
    expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": { sent: 5 }, "2 smp://a": {} });
    await stats.close();
    expect([tables(host), sum(host, "numbers")]).toEqual([before, 5]);
    host.handle.exec("DETACH numbers");
    const again = hostOf(file, openHandle(driver, file));
    const { stats: alone } = await openIn(again);
    expect(overall(await alone.getServersStats())).toEqual({ "1 smp://a": { sent: 5 } });
    await alone.close();
  });

  test("may be attached beside one that holds statistics too: each keeps its own", async () => {
    const host = openHost(driver);
    const { stats: inMain } = await openIn(host);
    count(inMain);
    await inMain.close();
    host.handle.exec(`ATTACH '${join(dirname(host.file), "stats.db")}' AS numbers KEY "x'${KEY}'"`);
    const { stats } = await openIn(host, { schema: "numbers" });
    expect(overall(await stats.getServersStats())).toEqual({});
    stats.server(smp, 7, "smp://b").add("sent", 3);
    await stats.close();
    expect([sum(host), sum(host, "numbers")]).toEqual([15, 3]);
  });

  test("keeps every pragma as the host set it", async () => {
    const host = openHost(driver);
    host.handle.exec(`PRAGMA busy_timeout = 1234; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;
      PRAGMA cache_size = -777; PRAGMA temp_store = FILE; PRAGMA secure_delete = FAST; PRAGMA recursive_triggers = ON;
      PRAGMA wal_autocheckpoint = 17; PRAGMA user_version = 42; PRAGMA application_id = 43`);
    const before = pragmas(host);
    expect(before).toMatchObject({
      busy_timeout: 1234,
      synchronous: 0,
      cache_size: -777,
      temp_store: 1,
      secure_delete: 2,
    });
    const { stats, store } = await openIn(host);
    count(stats);
    await stats.flush();
    store.installUserTrigger({ table: "users", column: "user_id" });
    await stats.deleteUser(1, { totals: "anonymise" });
    await stats.reset({ userId: 10 });
    await stats.getServersStats();
    await stats.getTimeline();
    expect(pragmas(host)).toEqual(before);
    await stats.close();
    expect(pragmas(host)).toEqual(before);
  });

  test("keeps a rollback journal where the host has one", async () => {
    const host = openHost(driver);
    host.handle.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA");
    const before = pragmas(host);
    const { stats } = await openIn(host);
    count(stats);
    await stats.deleteUser(1);
    await stats.close();
    expect([pragmas(host), before.journal_mode, sum(host)]).toEqual([before, "delete", 10]);
  });

  test("is left open when the statistics are closed, and with no file more than before", async () => {
    const host = openHost(driver);
    const files = () => readdirSync(dirname(host.file)).sort();
    const before = files();
    const { stats } = await openIn(host);
    count(stats);
    await stats.flush();
    expect(files().length, "control: a lock beside the file tells that the session lives").toBe(before.length + 1);
    await stats.close();
    expect(files()).toEqual(before);
    host.handle.exec("INSERT INTO users VALUES (3, 'cora')");
    expect(host.value("SELECT COUNT(*) FROM users")).toBe(4);
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_CLOSED" });
  });

  describe("within a transaction of the host's", () => {
    test("nothing is saved and nothing nested: it is tried again, and the host's own commit works", async () => {
      const host = openHost(driver);
      const { stats, told } = await openIn(host, { flushEvery: 50 });
      count(stats);
      await stats.flush();
      host.handle.exec("BEGIN; INSERT INTO users VALUES (3, 'cora')");
      count(stats);
      await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_BUSY" });
      expect([told, stats.problem?.code]).toEqual([["STATS_BUSY"], "STATS_BUSY"]);
      expect(sum(host)).toBe(15);
      host.handle.exec("COMMIT");
      await vi.waitFor(() => expect(told).toEqual(["STATS_BUSY", null]), 5_000);
      expect([stats.problem, sum(host)]).toEqual([null, 30]);
      expect(host.value("SELECT COUNT(*) FROM users")).toBe(4);
      await stats.close();
    });

    test("the statistics may be opened, and begin when it is over", async () => {
      const host = openHost(driver);
      host.handle.exec("BEGIN IMMEDIATE; INSERT INTO users VALUES (3, 'cora')");
      const { stats, told } = await openIn(host, { flushEvery: 50 });
      expect(stats.problem?.code).toBe("STATS_BUSY");
      count(stats);
      host.handle.exec("ROLLBACK");
      await vi.waitFor(() => expect(stats.problem).toBeNull(), 5_000);
      await stats.flush();
      expect([told, sum(host), host.value("SELECT COUNT(*) FROM users")]).toEqual([["STATS_BUSY", null], 15, 3]);
      await stats.close();
    });

    test("numbers can be read, and what it may yet take back is not believed", async () => {
      const host = openHost(driver);
      const { stats, store } = await openIn(host);
      count(stats);
      await stats.flush();
      count(stats, 1);
      host.handle.exec("BEGIN; DELETE FROM users WHERE user_id = 1");
      store.deleteUserWithin(1);
      await stats.getServersStats();
      host.handle.exec("ROLLBACK");
      await stats.flush();
      const six = { sent: 6 };
      expect(overall(await stats.getServersStats())).toEqual({ "1 smp://a": six, "2 smp://a": six, "10 smp://a": six });
      await stats.close();
    });

    test("none of ours is ever open across a wait", async () => {
      const host = openHost(driver);
      const { stats } = await openIn(host, { flushEvery: 50 });
      const busy: unknown[] = [];
      let running = true;
      const host2 = (async () => {
        while (running) {
          await turn();
          try {
            host.handle.exec("BEGIN IMMEDIATE; INSERT INTO messages VALUES (1, 'x'); COMMIT");
          } catch (error) {
            busy.push(error);
          }
        }
      })();
      for (let i = 0; i < 20; i++) {
        for (let j = 0; j < 400; j++) stats.server(smp, 1, `smp://${j}`).add("sent");
        await stats.flush();
      }
      await stats.deleteUser(2);
      await stats.reset();
      await stats.close();
      running = false;
      await host2;
      expect(busy).toEqual([]);
    });
  });

  test("says so where no file is attached under that name, and takes no name that is none", async () => {
    const host = openHost(driver);
    const { stats } = await openIn(host, { schema: "nothing" });
    expect(stats.problem).not.toBeNull();
    await stats.close().catch(() => {});
    expect(() => sqliteStore(host.handle, { schema: 'main"; DROP TABLE users; --' })).toThrow(TypeError);
    expect(tables(host)).toEqual(["messages", "users"]);
  });

  test("a large save is split, so that the host's own work is never held up for long", async () => {
    const whole = await longestGap(driver, Number.POSITIVE_INFINITY);
    const split = await longestGap(driver, undefined);
    // Measured: about a fifth. The sums are the same either way.
    expect(split.sum).toBe(whole.sum);
    expect(split.saves).toBeGreaterThan(20);
    expect([split.gapMs, whole.gapMs, split.gapMs < whole.gapMs / 2]).toEqual([split.gapMs, whole.gapMs, true]);
  });
});

/**
 * How long a host's own work waits at most while 10 000 changed counters are saved, in parts of at most that many: in
 * time of the processor, so that it does not matter what else the machine does.
 */
async function longestGap(driver: DriverName, largestBatch: number | undefined) {
  const host = openHost(driver);
  const inner = sqliteStore(host.handle);
  const save = vi.fn(inner.save);
  const store = { ...inner, save, ...(largestBatch !== undefined && { largestBatch }) };
  const stats = await openAgentStats({ protocols: [smp], store, flushEvery: 3_600_000 });
  const servers = Array.from({ length: 5_000 }, (_, i) => stats.server(smp, 1, `smp://${i}`));
  const cpuMs = () => process.cpuUsage().user / 1_000 + process.cpuUsage().system / 1_000;
  const gaps: number[] = [];
  for (let round = 0; round < 5; round++) {
    for (const server of servers) {
      server.add("sent");
      server.add("received");
    }
    let [running, gapMs, last] = [true, 0, cpuMs()];
    const work = (async () => {
      while (running) {
        await turn();
        const now = cpuMs();
        gapMs = Math.max(gapMs, now - last);
        last = now;
      }
    })();
    await turn();
    [gapMs, last] = [0, cpuMs()];
    await stats.flush();
    running = false;
    await work;
    gaps.push(gapMs);
  }
  await stats.close();
  // The best round: collecting garbage makes some of them slow.
  return { gapMs: Math.min(...gaps), saves: save.mock.calls.length, sum: sum(host) };
}

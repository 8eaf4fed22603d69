/** Mistakes that simplexmq makes with the same kind of data. Each situation is set up here, and does no harm. */
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { Recorder } from "../record/recorder.ts";
import { eachSum } from "../store/contract-support.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { describeDrivers, KEY, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { sqlcipherStore } from "../store/sqlcipher/store.ts";
import { keepUsers, openHandle, openHost, openIn, records } from "../store/sqlite/host.testing.ts";
import { startChild } from "./child.testing.ts";
import { count, HOUR, ntf, open, shown, smp, total, xftp } from "./mistakes.testing.ts";
import { keepStats, openAgentStats } from "./open.ts";
import { gate, watched } from "./watched.testing.ts";

afterEach(() => void vi.useRealTimers());

describe("simplexmq", () => {
  test("restore fails, then the row is overwritten with near-empty maps, under the old start date", async () => {
    const database = new MemoryDatabase();
    const first = await open(memoryStore(database));
    count(first, 1_000);
    await first.close();
    const since = database.trackedSince;
    // Nothing can be read, or the sums alone cannot; saving works all the while.
    for (const broken of [["begin", "sums"], ["sums"]]) {
      const watch = watched(memoryStore(database));
      const fails = () => Promise.reject(new Error("the restore fails"));
      const store = { ...watch.store, ...Object.fromEntries(broken.map((name) => [name, fails])) };
      const stats = await open(store, { startFrom: "past" });
      expect(stats.problem).not.toBeNull();
      count(stats, 1);
      await stats.flush().catch(() => {});
      await stats.close().catch(() => {});
      await watch.store.close();
    }
    const last = await open(memoryStore(database), { startFrom: "past" });
    const { servers, trackedSince } = await last.getServersStats();
    for (const { overall } of servers) expect(overall.sent).toBeGreaterThanOrEqual(1_000);
    expect(trackedSince.getTime()).toBe(since);
    await last.close();
  });

  test("one missing field fails the whole decode", async () => {
    const database = new MemoryDatabase();
    const later = defineProtocol("smp", { sent: "x", newInThisVersion: "x" });
    const two = await openAgentStats({ protocols: [later], store: memoryStore(database) });
    for (const name of ["sent", "newInThisVersion"] as const) two.server(later, 1, "smp://a").add(name, 5);
    await two.close();
    const older = defineProtocol("smp", { sent: "x", goneInThatVersion: "x" });
    const one = await openAgentStats({ protocols: [older], store: memoryStore(database), startFrom: "past" });
    one.server(older, 1, "smp://a").add("goneInThatVersion", 7);
    await one.close();
    for (const protocols of [[later], [older], []]) {
      const stats = await openAgentStats({ protocols, store: memoryStore(database), startFrom: "past" });
      expect(await shown(stats)).toEqual({ "smp 1 smp://a": { sent: 5, newInThisVersion: 5, goneInThatVersion: 7 } });
      await stats.close();
    }
  });

  test("a reset, and a user's deletion, forget the ntf counters, which are saved again", async () => {
    const clear: ((stats: Awaited<ReturnType<typeof open>>) => Promise<unknown>)[] = [
      (stats) => stats.reset(),
      async (stats) => {
        for (const user of [1, 10]) await stats.deleteUser(user);
      },
    ];
    for (const startFrom of ["zero", "past"] as const) {
      for (const each of clear) {
        const database = new MemoryDatabase();
        const stats = await open(memoryStore(database), { startFrom });
        count(stats, 5);
        await stats.flush();
        count(stats, 5);
        expect(
          Object.keys(await shown(stats)).filter((key) => key.startsWith("ntf")),
          "control",
        ).toHaveLength(2);
        await each(stats);
        await stats.close();
        const next = await open(memoryStore(database), { startFrom });
        expect(await shown(next)).toEqual({});
        await next.close();
      }
    }
  });

  test("asynchronous connection deletion after deleteUser counts again and brings the deleted user's servers back", async () => {
    const database = new MemoryDatabase();
    const stats = await open(memoryStore(database));
    count(stats, 5);
    const handle = stats.server(smp, 1, "smp://a");
    const connections = [
      stats.deleteUser(1),
      ...[1, 2, 3].map(async (ms) => {
        await new Promise((resolve) => setTimeout(resolve, ms));
        handle.add("connDeleted");
        stats.server(smp, 1, `smp://${ms}`).counter("connDelAttempts").add();
        await stats.flush();
      }),
    ];
    await Promise.all(connections);
    await stats.close();
    expect([...database.keys.values()].map(({ userId }) => userId)).not.toContain("1");
  });

  test("a save taken before a reset or deletion can land after it", async () => {
    for (const clear of ["reset", "deleteUser"] as const) {
      for (const when of ["until", "answersUntil", "fails"] as const) {
        const database = new MemoryDatabase();
        const watch = watched(memoryStore(database));
        const stats = await open(watch.store);
        count(stats, 5);
        const { open: passed, pass } = gate();
        if (when === "fails") watch.fails = { code: "STATS_BUSY", when: "after" };
        else watch[when] = passed;
        const saved = stats.flush().catch(() => {});
        await new Promise((resolve) => setTimeout(resolve));
        // What comes later does not wait.
        Object.assign(watch, { fails: null, until: null, answersUntil: null });
        const cleared = clear === "reset" ? stats.reset() : Promise.all([1, 10].map((user) => stats.deleteUser(user)));
        pass();
        await Promise.all([saved, cleared]);
        await stats.flush();
        expect(total(await shown(stats)), `${clear}, a save that waits or fails: ${when}`).toBe(0);
        await stats.close();
        const next = await open(memoryStore(database));
        expect(total(await shown(next))).toBe(0);
        await next.close();
      }
    }
  });

  test("counts made before the restore finished are lost", async () => {
    const database = new MemoryDatabase();
    const first = await open(memoryStore(database));
    count(first, 1_000);
    await first.close();
    const recorder = new Recorder({ protocols: [smp, xftp, ntf] });
    count(recorder, 1);
    const watch = watched(memoryStore(database));
    const { open: passed, pass } = gate();
    watch.until = passed;
    const opening = keepStats({ agent: recorder, store: watch.store, flushEvery: HOUR });
    count(recorder, 10);
    pass();
    const stats = await opening;
    count(recorder, 100);
    for (const { sent } of Object.values(await shown(stats))) expect(sent).toBe(1_111);
    await stats.close();
  });

  test("the background process neither loads nor saves", async () => {
    const database = new MemoryDatabase();
    const [chat, background] = [
      await open(memoryStore(database)),
      await open(memoryStore(database), { startFrom: "past" }),
    ];
    count(chat, 5);
    await chat.flush();
    count(background, 7);
    await background.close();
    for (const { sent } of Object.values(await shown(chat))) expect(sent).toBe(12);
    await chat.close();
    const again = await open(memoryStore(database), { startFrom: "past" });
    for (const { total: counters } of again.recorder.getServersStats().servers) expect(counters.sent).toBe(12);
    await again.close();
  });

  test("the whole JSON is rewritten every ten seconds even when nothing changed", async () => {
    const watch = watched(memoryStore());
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const stats = await open(watch.store, { flushEvery: 10_000 });
    const servers = Array.from({ length: 14 }, (_, i) => stats.server(smp, 1, `smp://${i}`));
    for (const server of servers) server.add("sent", 5);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(Object.keys(watch.saves.at(-1)?.counts ?? {})).toHaveLength(14);
    const calls = watch.calls.length;
    await vi.advanceTimersByTimeAsync(24 * HOUR);
    expect([watch.calls.length, vi.getTimerCount()]).toEqual([calls, 0]);
    servers[3]?.add("sent", 1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(watch.saves.at(-1)?.counts).toEqual({ "1 smp://3 sent": 6 });
    await stats.close();
  });

  test("numbers of one row are read at different moments", async () => {
    const database = new MemoryDatabase();
    const stats = await open(memoryStore(database));
    const server = stats.server(smp, 1, "smp://a");
    const check = (numbers: Readonly<Record<string, number>> = {}) => {
      expect(numbers.sendAttempts ?? 0).toBeGreaterThanOrEqual(numbers.sent ?? 0);
    };
    let running = true;
    const agent = (async () => {
      while (running) {
        server.add("sendAttempts", 3);
        await null;
        server.add("sent", 3);
        await null;
      }
    })();
    const reader = memoryStore(database);
    for (let i = 0; i < 300; i++) {
      const { servers } = await stats.getServersStats();
      for (const part of ["past", "session", "overall"] as const) check(servers[0]?.[part]);
      await stats.flush();
      const sums = eachSum(await reader.sums(null));
      check(Object.fromEntries(sums.map(({ counter, past, open: now }) => [counter, past + now])));
    }
    running = false;
    await agent;
    await stats.close();
  });

  test("no session is told from the past", async () => {
    const database = new MemoryDatabase();
    for (const n of [1, 10]) {
      const stats = await open(memoryStore(database), { startFrom: "past" });
      count(stats, n);
      await stats.close();
    }
    const stats = await open(memoryStore(database), { startFrom: "past" });
    count(stats, 100);
    for (const { past, session, overall } of (await stats.getServersStats()).servers) {
      expect([past.sent, session.sent, overall.sent]).toEqual([11, 100, 111]);
    }
    const sessions = (await stats.getSessions()).map(({ how, servers }) => [how, servers[0]?.counters.sent]);
    expect(sessions).toEqual([
      ["close", 1],
      ["close", 10],
      ["running", 100],
    ]);
    await stats.close();
  });
});

describeDrivers("simplexmq", (driver) => {
  const storeAt = (file: string) => sqlcipherStore({ file, key: KEY, driver, thread: "same" });

  test("the user's record and its statistics go in different transactions", async () => {
    const host = openHost(driver);
    const { stats, store } = await keepUsers(host);
    host.handle.exec("BEGIN; DELETE FROM users WHERE user_id = 1");
    store.deleteUserWithin(1);
    // The process dies before it commits.
    await stats.close().catch(() => {});
    host.handle.close();
    const next = { ...host, handle: openHandle(driver, host.file) };
    const looked = { ...host, handle: next.handle, all: <R>(sql: string) => next.handle.prepare(sql).all([]) as R[] };
    const { stats: again } = await openIn(next);
    expect([records(looked), Object.keys(await shown(again)).length]).toEqual([[1, 2, 10], 3]);
    await again.close();
    // Where they are in two databases, and the process dies between the two deletions.
    const file = join(temporaryFolder(), "stats.db");
    const apart = await open(storeAt(file));
    count(apart, 5);
    await apart.close();
    const later = await open(storeAt(file), { users: () => [10] });
    for (const key of Object.keys(await shown(later))) expect(key).toMatch(/ 10 /);
    await later.close();
  });

  test("a clean stop loses up to 10 s", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const child = startChild("const stats = await open(); count(stats, 999); process.exit(0);", file, driver);
    expect(await child.ended).toMatchObject({ code: 0, stderr: "" });
    const stats = await open(storeAt(file));
    count(stats, 1);
    await stats.close();
    const again = await open(storeAt(file));
    expect(total(await shown(again))).toBe(999 + 6);
    await again.close();
  });
});

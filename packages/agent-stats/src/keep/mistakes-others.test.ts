/** Mistakes that others made with the same kind of data. Each situation is set up here, and does no harm. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { bytesIn, describeDrivers, KEY, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { sqlcipherStore } from "../store/sqlcipher/store.ts";
import { openHandle } from "../store/sqlite/host.testing.ts";
import { allNumbers, count, HOUR, open, shown, smp, total } from "./mistakes.testing.ts";
import { keepStats } from "./open.ts";
import { watched } from "./watched.testing.ts";

afterEach(() => void vi.useRealTimers());

describe("Telegram Android", () => {
  test("the save is throttled, so a reset can be lost", async () => {
    const database = new MemoryDatabase();
    const store = memoryStore(database);
    const stats = await open(store);
    count(stats, 5);
    await stats.flush();
    count(stats, 5);
    await stats.reset();
    // Killed at once.
    await store.close();
    const next = await open(memoryStore(database));
    expect(await shown(next)).toEqual({});
    await next.close();
  });
});

describe("Glean", () => {
  test("clearing one store clears others that share its name's prefix: user 1 and user 10", async () => {
    const names = fc.uniqueArray(
      fc.constantFrom("1", "10", "100", "1:0", "1%", "_", "%", "1'", '1"', "1\0", "a", "A", "ä"),
      { minLength: 2 },
    );
    await fc.assert(
      fc.asyncProperty(names, fc.constantFrom("delete", "reset user", "reset server"), async (users, what) => {
        const database = new MemoryDatabase();
        const stats = await open(memoryStore(database));
        for (const user of users) stats.server(smp, user, `smp://${user}`).add("sent", 5);
        await stats.flush();
        const [one = "", ...others] = users;
        if (what === "delete") await stats.deleteUser(one);
        else await stats.reset(what === "reset user" ? { userId: one } : { server: `smp://${one}` });
        const left = Object.entries(await shown(stats)).filter(([, { sent }]) => sent === 5);
        expect(left.map(([key]) => key).sort()).toEqual(others.map((user) => `smp ${user} smp://${user}`).sort());
        await stats.close();
      }),
    );
  });
});

describe("Transmission", () => {
  test('three rounds between "loses the last minutes" and "wakes the disk when idle"', async () => {
    const watch = watched();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const stats = await open(watch.store, { flushEvery: 5_000 });
    await vi.advanceTimersByTimeAsync(24 * HOUR);
    expect([watch.saves.length, vi.getTimerCount()], "idle").toEqual([0, 0]);
    stats.server(smp, 1, "smp://a").add("sent", 5);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(watch.saves, "busy").toMatchObject([{ counts: { "1 smp://a sent": 5 } }]);
    const calls = watch.calls.length;
    await vi.advanceTimersByTimeAsync(24 * HOUR);
    expect([watch.calls.length, vi.getTimerCount()], "idle again").toEqual([calls, 0]);
    await stats.close();
  });
});

describe("OpenTelemetry", () => {
  test("the delta reader loses an interval when an export fails", async () => {
    for (const when of ["before", "after"] as const) {
      const watch = watched();
      const stats = await open(watch.store);
      for (let interval = 0; interval < 6; interval++) {
        stats.server(smp, 1, "smp://a").add("sent", 10 ** interval);
        watch.fails = interval % 2 === 0 ? { code: "STATS_BUSY", when } : null;
        await stats.flush().catch(() => {});
      }
      expect(await shown(stats)).toEqual({ "smp 1 smp://a": { sent: 111_111 } });
      const [{ counters } = { counters: {} }] = await stats.getTimeline({ by: "day" });
      expect(counters).toEqual({ sent: 111_111 });
      await stats.close();
    }
  });
});

describeDrivers("client_python", (driver) => {
  test("one 0-byte file breaks every scrape for good", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "stats.db");
    const store = () => sqlcipherStore({ file, key: KEY, driver, thread: "same" });
    const first = await open(store());
    count(first, 5);
    await first.close();
    // Beside the database, as a crash can leave them: nobody minds.
    for (const name of ["stats.db-session-1", "stats.db-session-99", "stats.db-creating", "stats.db-new"])
      writeFileSync(join(folder, name), "");
    const second = await open(store());
    expect([second.problem, total(await shown(second))]).toEqual([null, 30]);
    await second.close();
    // The database itself: refused, left as it is, and gone on with as soon as it is put right.
    renameSync(file, `${file}.saved`);
    writeFileSync(file, "");
    const before = bytesIn(folder);
    const third = await open(store());
    expect(third.problem?.code).toBe("STATS_EMPTY_FILE");
    count(third, 1);
    await third.flush().catch(() => {});
    expect(bytesIn(folder)).toEqual(before);
    renameSync(`${file}.saved`, file);
    await third.flush();
    expect([third.problem, total(await shown(third))]).toEqual([null, 36]);
    await third.close();
  });
});

describe("TDLib", () => {
  test("a start date in the future is clamped", async () => {
    const database = new MemoryDatabase();
    const future = Date.UTC(2036, 0, 1);
    vi.useFakeTimers({ toFake: ["Date"], now: future });
    const first = await open(memoryStore(database));
    count(first, 5);
    await first.close();
    vi.setSystemTime(Date.UTC(2026, 0, 1));
    const second = await open(memoryStore(database));
    count(second, 5);
    await second.flush();
    const { trackedSince, sessions } = await second.getServersStats();
    // What was written down is told as it is: only the reader knows which of the two clocks was wrong.
    expect(trackedSince).toEqual(new Date(future));
    expect(sessions.map(({ started }) => started.getUTCFullYear())).toEqual([2036, 2026]);
    for (const { started, lastSaved, ended } of sessions) {
      expect(lastSaved.getTime()).toBeGreaterThanOrEqual(started.getTime());
      if (ended) expect(ended.getTime()).toBeGreaterThanOrEqual(lastSaved.getTime());
    }
    expect(total(await shown(second))).toBe(60);
    const timeline = await second.getTimeline({ from: new Date(0), to: new Date(future + HOUR), by: "day" });
    expect(new Set(timeline.map(({ start }) => start.getUTCFullYear())).size).toBe(2);
    await second.close();
  });
});

describe("amutorrent", () => {
  test("an upstream counter that restarts from 0 wiped the totals", async () => {
    const database = new MemoryDatabase();
    let sent = 1_000;
    const key = { protocol: "smp", userId: "1", server: "smp://a" };
    const agent = { getServersStats: () => ({ servers: [{ ...key, session: { sent } }] }) };
    const stats = await keepStats({ agent, protocols: [smp], store: memoryStore(database), flushEvery: HOUR });
    for (const [upstream, expected] of [
      [1_000, 1_000],
      [0, 1_000],
      [3, 1_003],
      [0, 1_003],
      [1, 1_004],
    ] as const) {
      sent = upstream;
      await stats.flush();
      expect(await shown(stats)).toEqual({ "smp 1 smp://a": { sent: expected } });
    }
    await stats.close();
  });
});

describeDrivers("iOS SimpleX", (driver) => {
  test('shows connCreated under "Secured": every label with a number of its own', async () => {
    const file = join(temporaryFolder(), "stats.db");
    const stats = await open(sqlcipherStore({ file, key: KEY, driver, thread: "same" }));
    const expected = allNumbers(stats);
    const [{ counters: byHour } = { counters: {} }] = await stats.getTimeline({ protocol: "smp" });
    const [{ servers } = { servers: [] }] = await stats.getSessions();
    expect([byHour, servers[0]?.counters]).toEqual([expected, expected]);
    const parts = async (each: typeof stats) => {
      const [server] = (await each.getServersStats()).servers;
      return [server?.past, server?.session, server?.overall, server?.live];
    };
    expect(await parts(stats)).toEqual([{}, expected, expected, { ssConnected: 901, ssActive: 902 }]);
    await stats.close();
    const again = await open(sqlcipherStore({ file, key: KEY, driver, thread: "same" }), { startFrom: "past" });
    expect(await parts(again)).toEqual([expected, {}, expected, {}]);
    expect(again.recorder.getServersStats().servers[0]?.total).toEqual(expected);
    await again.close();
    const handle = openHandle(driver, file);
    const { past } = handle.prepare("SELECT past_stats AS past FROM agent_stats").get([]) as { past: string };
    expect(JSON.parse(past)).toEqual([{ protocol: "smp", userId: "1", server: "smp://a", stats: expected }]);
  });
});

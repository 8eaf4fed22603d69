/** What is left of whom was deleted, and of sessions that are over: names only as long as somebody must hear them. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadDriver } from "../sqlcipher/drivers.ts";
import { describeDrivers } from "../sqlcipher/files.testing.ts";
import type { SaveBatch } from "../store.ts";
import { type Host, hostOf, openHandle, openHost } from "./host.testing.ts";
import { lockFile } from "./locks.ts";
import { sqliteStore } from "./store.ts";

const HOUR = 500_000;
const AT = HOUR * 3_600_000;
const BY = { session: null, seen: 0, at: AT };

describeDrivers("clearing", (driver) => {
  /** Another process that keeps statistics in the host's database. */
  function another(host: Host) {
    return sqliteStore(hostOf(host.file, openHandle(driver, host.file)).handle);
  }

  const begin = (store: ReturnType<typeof sqliteStore>) =>
    store.begin({ startedAt: AT, flushEveryMs: 5_000, seen: null });

  function batch(session: number, save: number, more: Partial<SaveBatch> = {}): SaveBatch {
    const keys = [
      [0, "smp", "1", "smp://a"],
      [1, "smp", "10", "smp://a"],
    ] as const;
    const cells = Float64Array.of(0, 0, 3, 1, 0, 5);
    return { session, save, seen: 0, at: AT, hour: HOUR, keys, counters: ["sent"], cells, ...more };
  }

  const tombstones = (host: Host) =>
    host.all<object>("SELECT what, user_id, digest IS NOT NULL AS sealed FROM agent_stats_tombstone");

  describe("the name of a deleted user", () => {
    test.each(["forget", "anonymise"] as const)(
      "stays while a session lives that must hear of it (%s)",
      async (totals) => {
        const host = openHost(driver);
        const [older, store] = [another(host), sqliteStore(host.handle)];
        const { session } = await begin(older);
        await older.save(batch(session, 1));
        await store.deleteUser("1", totals, BY);
        expect(tombstones(host)).toEqual([{ what: "delete", user_id: "1", sealed: 0 }]);
        const told = await older.save(batch(session, 2));
        expect(told).toMatchObject({ outcome: "cleared", clears: [{ what: "delete", scope: { userId: "1" } }] });
        // Exactly that: no field that was not given.
        expect(Object.keys(("clears" in told && told.clears[0]?.scope) || {})).toEqual(["userId"]);
        await older.close();
        await store.close();
      },
    );

    test("goes when the last that had to hear of it is taken for dead: a digest stays, and it can still ask", async () => {
      const host = openHost(driver);
      const [older, store] = [another(host), sqliteStore(host.handle)];
      const { session, seen } = await begin(older);
      await older.save(batch(session, 1));
      await store.deleteUser("1", "forget", BY);
      await store.reset({ userId: "10" }, BY);
      expect(tombstones(host)).toHaveLength(2);
      await older.close();
      expect(await store.fold(BY)).toBe(1);
      expect(tombstones(host)).toEqual([{ what: "delete", user_id: null, sealed: 1 }]);
      expect(await older.deletedAmong(["1", "10"], seen)).toEqual(["1"]);
      expect(await older.save(batch(session, 2))).toMatchObject({ outcome: "closed", clears: [] });
      await older.close();
      await store.close();
    });

    test("goes without a trace when all who had to hear of it have said goodbye", async () => {
      const host = openHost(driver);
      const [older, store] = [another(host), sqliteStore(host.handle)];
      const { session } = await begin(older);
      await older.save(batch(session, 1));
      const { clears } = await store.deleteUser("1", "forget", BY);
      const heard = clears.at(-1)?.clear ?? 0;
      await older.save(batch(session, 2, { seen: heard, keys: [], cells: new Float64Array(0), ending: "close" }));
      expect(await store.fold(BY)).toBe(1);
      expect(tombstones(host)).toEqual([]);
      await older.close();
      await store.close();
    });
  });

  test("a digest is of one database: the same user has another one in another", async () => {
    const digests = [];
    for (let i = 0; i < 2; i++) {
      const host = openHost(driver);
      const [older, store] = [another(host), sqliteStore(host.handle)];
      await begin(older);
      await store.deleteUser("1", "forget", BY);
      await older.close();
      await store.fold(BY);
      digests.push(host.value("SELECT digest FROM agent_stats_tombstone"));
      await store.close();
    }
    expect(digests).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(digests[0]).not.toBe(digests[1]);
  });

  test("only a reset of everything moves the date, and a deletion by the host itself is told as one", async () => {
    const host = openHost(driver);
    const store = sqliteStore(host.handle);
    const { session } = await begin(store);
    await store.save(batch(session, 1));
    await store.reset({ userId: "1" }, { ...BY, at: AT + 5 });
    expect((await store.sums(null)).trackedSince).toBe(AT);
    await store.reset({}, { ...BY, at: AT + 7 });
    expect((await store.sums(null)).trackedSince).toBe(AT + 7);
    store.deleteUserWithin("10");
    expect((await store.audit()).map(({ what, of }) => [what, of])).toEqual([
      ["reset", "user"],
      ["reset", "everything"],
      ["delete", "user"],
    ]);
    await store.close();
  });

  describe("the lock of a session", () => {
    const locks = (host: Host) => readdirSync(dirname(host.file)).filter((name) => name.includes("-session-"));

    test("goes with its goodbye, and that of one that is found dead with its folding", async () => {
      const host = openHost(driver);
      const [older, store] = [another(host), sqliteStore(host.handle)];
      const [dead, mine] = [await begin(older), await begin(store)];
      expect(locks(host)).toHaveLength(2);
      await older.close();
      expect(locks(host)).toEqual([`chat.db-session-${mine.session}`]);
      expect(await store.fold(BY)).toBe(1);
      expect(locks(host)).toEqual([`chat.db-session-${mine.session}`]);
      await store.save(batch(mine.session, 1));
      expect(locks(host)).toHaveLength(1);
      await store.save(batch(mine.session, 2, { ending: "close" }));
      expect([locks(host), dead.session]).toEqual([[], 1]);
      await store.close();
    });

    test("that somebody holds, who began it in a file that is gone, is left to them: the next number is taken", async () => {
      const host = openHost(driver);
      const store = sqliteStore(host.handle);
      const open = (path: string) => loadDriver(driver).open(path);
      const held = [1, 2].map((n) => lockFile(join(dirname(host.file), `chat.db-session-${n}`), open, 0));
      expect((await begin(store)).session).toBe(3);
      expect((await store.sessions()).map(({ session }) => session)).toEqual([3]);
      for (const each of held) each?.close();
      await store.close();
    });
  });
});

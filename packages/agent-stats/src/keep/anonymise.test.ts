/** Deleting a user whose sums are to stay: without the user, the servers or the hours. */
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import { DRIVER_NAMES, loadDriver, whyNot } from "../store/sqlcipher/drivers.ts";
import { describeDrivers, KEY, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { decryptedPages } from "../store/sqlcipher/pages.testing.ts";
import { sqlcipherStore } from "../store/sqlcipher/store.ts";
import type { StatsStore } from "../store/store.ts";
import { totals } from "../summarise/groups.ts";
import { type AgentStats, openAgentStats } from "./open.ts";

const smp = defineProtocol("smp", { sent: "messages sent", errors: { help: "messages refused", error: true } });
const xftp = defineProtocol("xftp", { sent: "files sent" });

const DATABASES: Record<string, () => () => StatsStore> = {
  memory() {
    const database = new MemoryDatabase();
    return () => memoryStore(database);
  },
};
for (const driver of DRIVER_NAMES) {
  const reason = whyNot(driver);
  if (reason !== null) console.log(`skipped: totals of deleted users on ${driver}: ${reason}`);
  else {
    DATABASES[driver] = () => {
      const file = join(temporaryFolder(), "stats.db");
      return () => sqlcipherStore({ file, key: KEY, driver, thread: "same" });
    };
  }
}

const open = (store: StatsStore) =>
  openAgentStats({ protocols: [smp, xftp], store, flushEvery: 3_600_000, onProblem: () => {} });
const anonymise = { totals: "anonymise" } as const;
const shown = async (stats: AgentStats) => {
  const { servers } = await stats.getServersStats();
  return Object.fromEntries(servers.map((s) => [`${s.protocol} ${s.userId} ${s.server}`, s.overall]));
};

describe.each(Object.keys(DATABASES))("a deleted user's sums in %s", (name) => {
  const databaseOf = () => (DATABASES[name] as () => () => StatsStore)();

  test("stay in the totals: what was folded, what was saved and what was not yet", async () => {
    const database = databaseOf();
    const first = await open(database());
    first.server(smp, 1, "smp://a").add("sent", 1);
    first.server(smp, 10, "smp://a").add("sent", 1_000_000);
    await first.close();
    const second = await open(database());
    second.server(smp, 1, "smp://a").add("sent", 10);
    second.server(smp, 1, "smp://b").add("sent", 100);
    second.server(xftp, 1, "xftp://f").add("sent", 7);
    await second.flush();
    second.server(smp, 1, "smp://b").add("sent", 1_000);
    second.server(smp, 1, "smp://c").add("errors", 3);
    const before = totals((await second.getServersStats()).servers);
    await second.deleteUser(1, anonymise);
    expect(await shown(second)).toEqual({
      "smp  ": { sent: 1_111, errors: 3 },
      "xftp  ": { sent: 7 },
      "smp 10 smp://a": { sent: 1_000_000 },
    });
    expect(totals((await second.getServersStats()).servers)).toEqual(before);
    second.server(smp, 1, "smp://a").add("sent", 5);
    await second.close();
    const third = await open(database());
    expect(totals((await third.getServersStats()).servers)).toEqual(before);
    expect((await third.getTimeline()).map(({ userId }) => userId)).not.toContain("1");
    await third.close();
  });

  test("add up with those of others who were deleted so, and go with none of them", async () => {
    const stats = await open(databaseOf()());
    for (const user of [1, 2, 3]) stats.server(smp, user, "smp://a").add("sent", 10 ** user);
    await stats.deleteUser(1, anonymise);
    await stats.deleteUser(2, anonymise);
    await stats.deleteUser(2, anonymise);
    await stats.deleteUser(3);
    await stats.deleteUser(1);
    expect(await shown(stats)).toEqual({ "smp  ": { sent: 110 } });
    await stats.close();
  });

  test("are those of all processes, as far as they had saved them; none comes later, and none twice", async () => {
    const database = databaseOf();
    const [one, other] = [await open(database()), await open(database())];
    for (const stats of [one, other]) stats.server(smp, 1, "smp://a").add("sent", 5);
    await other.flush();
    other.server(smp, 1, "smp://a").add("sent", 100);
    await one.deleteUser(1, anonymise);
    other.server(smp, 1, "smp://a").add("sent", 100);
    await other.flush();
    for (const stats of [one, other]) expect(await shown(stats)).toEqual({ "smp  ": { sent: 10 } });
    await other.close();
    await one.close();
    const later = await open(database());
    expect(await shown(later)).toEqual({ "smp  ": { sent: 10 } });
    await later.close();
  });

  test("stop at the largest exact number, however many they are", async () => {
    const stats = await open(databaseOf()());
    // Together they are more than SQLite's own whole numbers hold.
    for (let i = 0; i < 1_100; i++) stats.server(smp, 1, `smp://${i}`).add("sent", Number.MAX_SAFE_INTEGER);
    await stats.deleteUser(1, anonymise);
    expect(await shown(stats)).toEqual({ "smp  ": { sent: Number.MAX_SAFE_INTEGER } });
    await stats.close();
  });

  test("and a user without any leave no row behind", async () => {
    const stats = await open(databaseOf()());
    stats.server(smp, 10, "smp://a").add("sent", 5);
    await stats.deleteUser("nobody", anonymise);
    expect(await shown(stats)).toEqual({ "smp 10 smp://a": { sent: 5 } });
    await stats.close();
  });

  test("never change a total, in any order of counting, saving, deleting and starting again", async () => {
    const step = fc.record({
      what: fc.constantFrom("count", "count", "count", "flush", "restart", "kill", "delete"),
      user: fc.nat(2),
      server: fc.nat(1),
      n: fc.nat(9),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const database = databaseOf();
        let store = database();
        let stats = await open(store);
        let [saved, unsaved] = [0, 0];
        for (const { what, user, server, n } of steps) {
          if (what === "count") {
            const handle = stats.server(smp, user, `smp://${server}`);
            const before = stats.recorder.getServersStats();
            handle.add("sent", n);
            // Counting for one who is deleted goes nowhere.
            if (JSON.stringify(stats.recorder.getServersStats()) !== JSON.stringify(before)) unsaved += n;
            continue;
          }
          if (what === "flush") await stats.flush();
          if (what === "delete") await stats.deleteUser(user, anonymise);
          if (what === "restart") await stats.close();
          if (what === "kill") await store.close();
          if (what !== "kill") saved += unsaved;
          unsaved = 0;
          if (what === "restart" || what === "kill") {
            store = database();
            stats = await open(store);
          }
          expect(totals((await stats.getServersStats()).servers).smp?.sent ?? 0).toBe(saved);
        }
        await store.close();
      }),
      { numRuns: name === "memory" ? 200 : 20 },
    );
  });
});

describeDrivers("what is left of a deleted user", (driver) => {
  test("whose sums stay is neither its name nor its servers, in any page", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const stats = await open(sqlcipherStore({ file, key: KEY, driver, thread: "same" }));
    for (let i = 0; i < 50; i++) stats.server(smp, "forgotten-user", `smp://forgotten-${i}`).add("sent", 5);
    await stats.flush();
    const found = () => decryptedPages(file, KEY).filter((page) => page.includes("forgotten")).length;
    expect(found(), "control").toBeGreaterThan(0);
    expect(await stats.deleteUser("forgotten-user", anonymise)).toEqual({ erased: "physically" });
    expect(found()).toBe(0);
    expect(await shown(stats)).toEqual({ "smp  ": { sent: 250 } });
    await stats.close();
  });

  test("is told to be pending while someone reads, and then to be done, once", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const onErased = vi.fn();
    const store = sqlcipherStore({ file, key: KEY, driver, thread: "same" });
    const stats = await openAgentStats({ protocols: [smp], store, flushEvery: 50, onErased, onProblem: () => {} });
    for (const user of ["1", "2"]) stats.server(smp, user, "smp://a").add("sent", 5);
    await stats.flush();
    const { open: openFile, beforeKey } = loadDriver(driver);
    const reader = openFile(file);
    reader.exec(`${beforeKey}; PRAGMA key = "x'${KEY}'"; BEGIN`);
    reader.prepare("SELECT COUNT(*) FROM agent_stats_key").get([]);
    expect(await stats.deleteUser("1")).toEqual({ erased: "pending" });
    expect(await stats.deleteUser("2")).toEqual({ erased: "pending" });
    await stats.flush();
    expect(onErased).not.toHaveBeenCalled();
    reader.exec("COMMIT");
    reader.close();
    await vi.waitFor(() => expect(onErased).toHaveBeenCalledTimes(1), 5_000);
    expect(await stats.deleteUser("1")).toEqual({ erased: "physically" });
    await stats.flush();
    expect(onErased).toHaveBeenCalledTimes(1);
    await stats.close();
  });
});

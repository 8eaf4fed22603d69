import { expect, test } from "vitest";
import { describeDrivers } from "../store/sqlcipher/files.testing.ts";
import type { SqliteHandle } from "../store/sqlite/handle.ts";
import { type Host, hostOf, kept, openHandle, openHost, openIn, smp } from "../store/sqlite/host.testing.ts";
import { sqliteStore } from "../store/sqlite/store.ts";
import { openAgentStats } from "./open.ts";

/** A handle that gives the library nothing to lock with: everybody takes its sessions for dead. */
const lockless = ({ handle }: Host): SqliteHandle => ({
  exec: (sql) => handle.exec(sql),
  prepare: (sql) => handle.prepare(sql),
  close: () => handle.close(),
});

describeDrivers("a session that is folded while it lives, and goes on with another", (driver) => {
  test.each([
    ["before it finds that out", 0],
    ["while it goes over to the next one", 1],
  ])("does not bring back who is deleted %s", async (_, atBegin) => {
    const host = openHost(driver);
    const store = sqliteStore(lockless(host));
    let beforeBegin = async () => {};
    const stats = await openAgentStats({
      protocols: [smp],
      flushEvery: 3_600_000,
      store: {
        ...store,
        async begin(session) {
          await beforeBegin();
          return store.begin(session);
        },
      },
    });
    const servers = [1, 2].map((user) => stats.server(smp, user, "smp://a"));
    const count = () => servers.forEach((server) => void server.add("sent"));
    count();
    await stats.flush();
    const { stats: theirs } = await openIn(hostOf(host.file, openHandle(driver, host.file)));
    const erase = async () => void (await theirs.deleteUser(1));
    if (atBegin === 1) beforeBegin = erase;
    else await erase();
    count();
    await stats.flush();
    beforeBegin = async () => {};
    count();
    await stats.flush();
    expect(kept(host)).toEqual(["2"]);
    expect(host.value("SELECT past + session FROM agent_stats_sum")).toBe(3);
    await theirs.close();
    await stats.close();
  });
});

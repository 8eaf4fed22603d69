/** A trigger in the host's database that deletes a user's statistics with the user's own record. */
import { expect, test } from "vitest";
import { overall } from "../../keep/mirror.testing.ts";
import { describeDrivers, KEY } from "../sqlcipher/files.testing.ts";
import { hostOf, keepUsers, kept, openHandle, openHost, openIn, records, smp } from "./host.testing.ts";

const FIVE = { sent: 5 };

describeDrivers("a trigger", (driver) => {
  const IDS: [type: string, id: number | string, like: string][] = [
    ["INTEGER", 1, "10"],
    ["INTEGER", "1", "10"],
    ["TEXT", "1", "01"],
    ["TEXT", "007", "7"],
    ["TEXT", "anna", "ann"],
    ["", 1, "1.0"],
    ["REAL", 1, "10"],
    ["BLOB", "1", "10"],
  ];
  test.each(IDS)("on a column of type '%s' that holds %j deletes that user, and not %s", async (type, id, like) => {
    const host = openHost(driver);
    host.handle.exec(`CREATE TABLE profiles (id ${type}, name TEXT)`);
    host.handle.prepare("INSERT INTO profiles VALUES (?, 'x')").run([id]);
    const { store, stats } = await keepUsers(host);
    for (const user of [id, like]) stats.server(smp, user, "smp://b").add("sent");
    await stats.flush();
    store.installUserTrigger({ table: "profiles", column: "id" });
    host.handle.exec("DELETE FROM profiles");
    const left = Object.keys(overall(await stats.getServersStats()));
    expect(left).toContain(`${like} smp://b`);
    expect(left.filter((key) => key.startsWith(`${id} `))).toEqual([]);
    await stats.close();
  });

  test("deletes as many as are deleted, and those that a deletion elsewhere takes with it", async () => {
    const host = openHost(driver);
    host.handle.exec(
      "PRAGMA foreign_keys = ON; CREATE TABLE accounts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users ON DELETE CASCADE)",
    );
    const { store, stats } = await keepUsers(host);
    for (let id = 100; id < 200; id++) {
      host.handle.exec(`INSERT INTO users VALUES (${id}, 'x'); INSERT INTO accounts VALUES (${id + 1_000}, ${id})`);
      for (const user of [id, id + 1_000]) stats.server(smp, user, "smp://a").add("sent");
    }
    await stats.flush();
    expect(kept(host)).toHaveLength(203);
    store.installUserTrigger({ table: "users", column: "user_id" });
    host.handle.exec("DELETE FROM users WHERE user_id BETWEEN 100 AND 149");
    expect(kept(host)).toHaveLength(153);
    // Deleting all rows at once is no reason for SQLite to leave the trigger out.
    host.handle.exec("DELETE FROM users");
    expect(kept(host)).toHaveLength(100);
    for (let id = 100; id < 200; id++) stats.server(smp, id, "smp://late").add("sent");
    await stats.flush();
    expect(kept(host)).toHaveLength(100);
    await stats.close();
  });

  test("may be installed again, and works where no statistics are kept at that moment", async () => {
    const host = openHost(driver);
    const { store, stats } = await keepUsers(host);
    for (let i = 0; i < 3; i++) store.installUserTrigger({ table: "users", column: "user_id" });
    await stats.close();
    const raw = hostOf(host.file, openHandle(driver, host.file));
    raw.handle.exec("DELETE FROM users WHERE user_id = 1");
    expect(kept(raw)).toEqual(["2", "10"]);
    const { stats: next } = await openIn(host);
    expect(overall(await next.getServersStats())).toEqual({ "2 smp://a": FIVE, "10 smp://a": FIVE });
    await next.close();
  });

  test("stands in the attached file where the users are, too", async () => {
    const host = openHost(driver);
    host.handle.exec(`ATTACH '${host.file}.other' AS other KEY "x'${KEY}'"; CREATE TABLE other.people (id INTEGER)`);
    host.handle.exec("INSERT INTO other.people VALUES (1)");
    const { store, stats } = await openIn(host, { schema: "other" });
    for (const user of [1, 10]) stats.server(smp, user, "smp://a").add("sent", 5);
    await stats.flush();
    store.installUserTrigger({ table: "people", column: "id" });
    host.handle.exec("DELETE FROM other.people");
    expect(overall(await stats.getServersStats())).toEqual({ "10 smp://a": FIVE });
    await stats.close();
  });

  test("is not installed where there is no such table or column: the host's deletions go on", async () => {
    const host = openHost(driver);
    const { store, stats } = await keepUsers(host);
    for (const [table, column] of [
      ["nobody", "user_id"],
      ["users", "nothing"],
    ] as const) {
      expect(() => store.installUserTrigger({ table, column })).toThrow(
        expect.objectContaining({ name: "StatsError" }),
      );
    }
    expect(() => store.installUserTrigger({ table: 'users"; --', column: "user_id" })).toThrow(TypeError);
    host.handle.exec("DELETE FROM users WHERE user_id = 1");
    expect(records(host)).toEqual([2, 10]);
    await stats.close();
  });
});

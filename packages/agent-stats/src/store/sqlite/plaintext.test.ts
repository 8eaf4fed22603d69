/** A host's database without encryption is refused, unless the host says that it may be. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { overall } from "../../keep/mirror.testing.ts";
import { loadDriver } from "../sqlcipher/drivers.ts";
import { describeDrivers } from "../sqlcipher/files.testing.ts";
import { count, openHost, openIn, sum, tables } from "./host.testing.ts";

describeDrivers("a host's database without encryption", (driver) => {
  const refused = { code: "STATS_NOT_ENCRYPTED" };

  test("is refused, once and for all calls, and not a table is made", async () => {
    const host = openHost(driver, { key: null });
    const before = readFileSync(host.file);
    const { stats, told } = await openIn(host);
    count(stats);
    await expect(stats.flush()).rejects.toMatchObject(refused);
    await expect(stats.getServersStats()).rejects.toMatchObject(refused);
    await expect(stats.deleteUser(1)).rejects.toMatchObject(refused);
    expect(told).toEqual(["STATS_NOT_ENCRYPTED"]);
    expect(stats.problem?.message).toMatch(/allowPlaintext: true/);
    await expect(stats.close()).rejects.toMatchObject(refused);
    expect(tables(host)).toEqual(["messages", "users"]);
    expect(readFileSync(host.file).equals(before)).toBe(true);
  });

  test("is accepted where the host says so", async () => {
    const host = openHost(driver, { key: null });
    const { stats, told } = await openIn(host, { allowPlaintext: true });
    count(stats);
    await stats.close();
    expect([told, sum(host)]).toEqual([[], 15]);
  });

  test("is accepted in memory, as it is at rest nowhere", async () => {
    const { stats, told } = await openIn({ handle: loadDriver(driver).open(":memory:") });
    count(stats);
    await stats.flush();
    await stats.deleteUser(1);
    expect(overall(await stats.getServersStats())).toEqual({ "2 smp://a": { sent: 5 }, "10 smp://a": { sent: 5 } });
    await stats.close();
    expect(told).toEqual([]);
  });

  test("is refused where only the attached file is", async () => {
    const host = openHost(driver);
    host.handle.exec(`ATTACH '${join(dirname(host.file), "plain.db")}' AS plain KEY ''`);
    const { stats, told } = await openIn(host, { schema: "plain" });
    expect(told).toEqual(["STATS_NOT_ENCRYPTED"]);
    await stats.close().catch(() => {});
  });
});

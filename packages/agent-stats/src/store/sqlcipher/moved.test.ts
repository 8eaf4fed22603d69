import { copyFileSync, existsSync, linkSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../../keep/child.testing.ts";
import { openAgentStats } from "../../keep/open.ts";
import { defineProtocol } from "../../record/protocol.ts";
import { sentIn } from "./bad-input.testing.ts";
import type { DriverName } from "./drivers.ts";
import { describeDrivers, KEY, temporaryFolder } from "./files.testing.ts";
import { sqlcipherStore } from "./store.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const SLOW_MS = 60_000;

const openAt = (file: string, driver: DriverName, key = KEY) =>
  openAgentStats({
    store: sqlcipherStore({ file, key, driver, thread: "same" }),
    flushEvery: SLOW_MS,
    onProblem: () => {},
  });

/** A host whose log holds what it has acknowledged, and another name of its file. */
async function hostWithLog(driver: DriverName) {
  const file = join(temporaryFolder(), "stats.db");
  const stats = await openAt(file, driver);
  const server = stats.server(smp, 1, "smp://a");
  server.add("sent", 5);
  await stats.flush();
  const kept = join(dirname(file), "kept.db");
  linkSync(file, kept);
  expect(statSync(`${file}-wal`).size, "control: it stands in the log").toBeGreaterThan(4_096);
  return { file, kept, stats, server };
}

async function databaseOf(sent: number, driver: DriverName, key = KEY): Promise<string> {
  const file = join(temporaryFolder(), "other.db");
  const stats = await openAt(file, driver, key);
  stats.server(smp, 2, "smp://other").add("sent", sent);
  await stats.close();
  return file;
}

describeDrivers("a file that is moved while it is open", (driver) => {
  test("holds by itself what was acknowledged, and what was counted later is in the new one", async () => {
    const { file, kept, stats, server } = await hostWithLog(driver);
    renameSync(file, `${file}.old`);
    server.add("sent", 30);
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_MOVED" });
    await stats.flush();
    await stats.close();
    expect(await sentIn({ file: kept, driver })).toBe(5);
    expect(await sentIn({ file, driver })).toBe(30);
  });

  test("does not damage another one of the same key in its place with the log that it left there", async () => {
    const { file, kept, stats, server } = await hostWithLog(driver);
    renameSync(await databaseOf(700, driver), file);
    server.add("sent", 30);
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_MOVED" });
    await stats.flush();
    await stats.close();
    expect(await sentIn({ file, driver })).toBe(730);
    expect(await sentIn({ file: kept, driver })).toBe(5);
  });

  test("control: the log of another one damages it", async () => {
    const { file, stats } = await hostWithLog(driver);
    const other = await databaseOf(700, driver);
    copyFileSync(`${file}-wal`, `${other}-wal`);
    await stats.close();
    await expect(sentIn({ file: other, driver })).rejects.toMatchObject({ name: "StatsError" });
  });

  test.each<[string, string | null]>([
    ["with another key", "0d".repeat(32)],
    ["that is none", null],
  ])("changes not a byte of a file %s in its place, and goes on when its own is back", async (_, key) => {
    const { file, kept, stats, server } = await hostWithLog(driver);
    const other = join(temporaryFolder(), "garbage");
    writeFileSync(other, Buffer.alloc(8_192, 7));
    renameSync(key === null ? other : await databaseOf(700, driver, key), file);
    const before = readFileSync(file);
    server.add("sent", 30);
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_MOVED" });
    await expect(stats.flush()).rejects.toMatchObject({ code: "STATS_KEY_REJECTED" });
    expect(readFileSync(file).equals(before)).toBe(true);
    renameSync(kept, file);
    await stats.flush();
    await stats.close();
    expect(await sentIn({ file, driver })).toBe(35);
  });

  test("and that is found out at the very end only, loses nothing: the last save is made where the file is then", async () => {
    const { file, kept, stats, server } = await hostWithLog(driver);
    renameSync(file, `${file}.old`);
    server.add("sent", 30);
    await stats.close();
    expect(await sentIn({ file: kept, driver })).toBe(5);
    expect(await sentIn({ file, driver })).toBe(30);
  });

  test("is no loss for a process that exits", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const child = startChild(
      `const { renameSync } = await import("node:fs");
      const stats = await open();
      count(stats, 300);
      await stats.flush();
      renameSync(file, file + ".old");
      count(stats, 600);
      process.exit(0);`,
      file,
      driver,
    );
    expect(await child.ended).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(file)).toBe(true);
    expect([await sentIn({ file: `${file}.old`, driver }), await sentIn({ file, driver })]).toEqual([300, 600]);
  });
});

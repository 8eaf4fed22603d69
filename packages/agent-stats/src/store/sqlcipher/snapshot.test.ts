import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { eachSum } from "../contract-support.ts";
import { runSql } from "./bad-input.testing.ts";
import { copyOf, count, made, openAt, randomBy, type Truth } from "./examine/damage.testing.ts";
import { bytesIn, describeDrivers, KEY } from "./files.testing.ts";
import { sqlcipherReader } from "./store.ts";

describeDrivers("a reader alone beside a WAL that a kill left", (driver) => {
  const setUp = async () => {
    const { file, stats, truth } = await made(driver, 41);
    const killed = copyOf(file, ["", "-wal"]);
    await stats.close();
    const reader = sqlcipherReader({ file: killed, key: KEY, driver, thread: "same" });
    const sums = async (): Promise<Truth> => {
      const sums = eachSum(await reader.sums(null));
      return new Map(
        sums.map(({ userId, server, counter, past, open }) => [JSON.stringify([userId, server, counter]), past + open]),
      );
    };
    return { file: killed, truth, reader, sums };
  };

  test("reads what is in it, and changes not a byte; control: SQLite itself moves it into the file", async () => {
    const { file, truth, reader, sums } = await setUp();
    const before = bytesIn(dirname(file));
    expect(await sums()).toEqual(truth);
    expect((await reader.sessions()).map(({ how }) => how)).toEqual(["close", "close", "close", "killed"]);
    await reader.close();
    expect(bytesIn(dirname(file))).toEqual(before);
    runSql({ file, driver }, KEY, "SELECT COUNT(*) FROM agent_stats_key");
    expect(bytesIn(dirname(file))).not.toEqual(before);
    expect(readdirSync(dirname(file))).toEqual(["stats.db"]);
  });

  test("sees what others save from then on", async () => {
    const { file, truth, reader, sums } = await setUp();
    await sums();
    const host = await openAt(file, driver);
    for (let save = 0; save < 3; save++) {
      count(host, truth, randomBy(save), 10);
      await host.flush();
      expect(await sums()).toEqual(truth);
      expect((await reader.sessions()).at(-1)?.how).toBe(null);
    }
    await host.close();
    expect(await sums()).toEqual(truth);
    await reader.close();
  });
});

/** A disk that does not read the log, to a driver that then takes it for one that holds nothing. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { SqliteHandle } from "../sqlite/handle.ts";
import { type Driver, loadDriver } from "./drivers.ts";
import { copyOf, made, sumsIn } from "./examine/damage.testing.ts";
import { openFile } from "./file.ts";
import { describeDrivers, KEY } from "./files.testing.ts";
import { keyLiteral } from "./key.ts";

/** As it opens this file: when it looks, there are zeros in the place of the log. */
function blind(open: Driver["open"], file: string): Driver["open"] {
  const log = `${file}-wal`;
  return (path) => {
    const handle = open(path);
    if (path !== file) return handle;
    const look: SqliteHandle["prepare"] = (sql) => {
      renameSync(log, `${file}-hidden`);
      writeFileSync(log, Buffer.alloc(32));
      try {
        const statement = handle.prepare(sql);
        statement.get([]);
        return statement;
      } finally {
        renameSync(`${file}-hidden`, log);
      }
    };
    let hasLooked = false;
    return {
      exec: (sql) => handle.exec(sql),
      prepare(sql) {
        if (hasLooked) return handle.prepare(sql);
        hasLooked = true;
        return look(sql);
      },
      close: () => handle.close(),
    };
  };
}

describeDrivers("a log that was not read", (name) => {
  const codeOfOpening = (driver: Driver, file: string) => {
    try {
      openFile(driver, { file, keyLiteral: keyLiteral(KEY), mode: "write" }).handle.close();
      return null;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };

  test("is a disk that fails, and is there when the disk reads again", async (context) => {
    const driver = loadDriver(name);
    const { openToRead, ...without } = driver;
    if (!openToRead) {
      console.log(`skipped on ${name}: it tells of a log that the disk did not read`);
      return context.skip();
    }
    const { file: living, truth, stats } = await made(name, 31);
    const [file, other] = [copyOf(living, ["", "-wal"]), copyOf(living, ["", "-wal"])];
    await stats.close();
    const log = readFileSync(`${file}-wal`);
    expect(codeOfOpening({ ...driver, openToRead: blind(openToRead, file) }, file)).toBe("STATS_STORE_FAILED");
    expect(readFileSync(`${file}-wal`).equals(log)).toBe(true);
    expect(codeOfOpening(driver, file)).toBe(null);
    expect(await sumsIn(file, name)).toEqual(truth);

    // The control: without the connection that only reads, nobody hears of it, and the log is gone.
    expect(codeOfOpening({ ...without, open: blind(driver.open, other) }, other)).toBe(null);
    expect(existsSync(`${other}-wal`)).toBe(false);
    expect(await sumsIn(other, name)).not.toEqual(truth);
  });
});

import { beforeAll, expect, test } from "vitest";
import type { SqliteHandle } from "../sqlite/handle.ts";
import { WRONG_KEY } from "./bad-input.testing.ts";
import { type Driver, loadDriver } from "./drivers.ts";
import { change, copyOf, flip, made, randomBy } from "./examine/damage.testing.ts";
import { openFile } from "./file.ts";
import { describeDrivers, KEY } from "./files.testing.ts";
import { keyLiteral } from "./key.ts";

const PAGE = 4_096;

/** A disk that reads nothing to this process, as better-sqlite3-multiple-ciphers tells of it: for as long as it fails. */
function misreading(driver: Driver): Driver {
  const failing = (handle: SqliteHandle): SqliteHandle => ({
    exec: (sql) => handle.exec(sql),
    prepare() {
      throw Object.assign(new Error("file is not a database"), { code: "SQLITE_NOTADB" });
    },
    close: () => handle.close(),
  });
  return { ...driver, open: (path) => failing(driver.open(path)) };
}

describeDrivers("a disk that reads nothing", (name) => {
  let driver: Driver;
  let good: string;
  beforeAll(async () => {
    driver = loadDriver(name);
    const { file, stats } = await made(name, 31);
    await stats.close();
    good = copyOf(file, [""]);
  });
  const codeOfOpening = (file: string, key: string, mode: "read" | "write", by = misreading(driver)) => {
    try {
      openFile(by, { file, keyLiteral: keyLiteral(key), mode }).handle.close();
      return null;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };

  test.each(["read", "write"] as const)("is not called another key, in mode %s", (mode) => {
    const file = copyOf(good, [""]);
    expect(codeOfOpening(file, KEY, mode)).toBe("STATS_STORE_FAILED");
    expect(codeOfOpening(file, KEY, mode, driver), "control: when it is read, it opens").toBe(null);
  });

  test("and another key, or damage, is no such disk", () => {
    const file = copyOf(good, [""]);
    expect(codeOfOpening(file, WRONG_KEY, "write")).toBe("STATS_KEY_REJECTED");
    change(file, (bytes) => void flip(bytes, 3 * PAGE + 9, randomBy(1)));
    expect(codeOfOpening(file, KEY, "write")).toBe("STATS_KEY_REJECTED");
  });
});

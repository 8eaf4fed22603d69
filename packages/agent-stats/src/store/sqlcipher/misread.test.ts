import { beforeAll, expect, test } from "vitest";
import type { SqliteHandle, SqliteStatement } from "../sqlite/handle.ts";
import { WRONG_KEY } from "./bad-input.testing.ts";
import { type Driver, loadDriver } from "./drivers.ts";
import { change, copyOf, flip, made, randomBy } from "./examine/damage.testing.ts";
import { openFile } from "./file.ts";
import { describeDrivers, KEY } from "./files.testing.ts";
import { keyLiteral } from "./key.ts";

const PAGE = 4_096;

/** The driver, with statements of the test's own. */
function preparing(driver: Driver, prepare: (handle: SqliteHandle, sql: string) => SqliteStatement): Driver {
  const open = (path: string): SqliteHandle => {
    const handle = driver.open(path);
    return {
      exec: (sql) => handle.exec(sql),
      prepare: (sql) => prepare(handle, sql),
      close: () => handle.close(),
    };
  };
  return { ...driver, open };
}

/** A disk that reads nothing to this process, as better-sqlite3-multiple-ciphers tells of it: for as long as it fails. */
function misreading(driver: Driver): Driver {
  return preparing(driver, () => {
    throw Object.assign(new Error("file is not a database"), { code: "SQLITE_NOTADB" });
  });
}

/** What SQLite says of a page when it has read every one. */
function saying(driver: Driver, quick_check: string): Driver {
  const answer = { get: () => ({ quick_check }), all: () => [], run: () => ({ changes: 0 }) };
  return preparing(driver, (handle, sql) => (sql.includes("quick_check") ? answer : handle.prepare(sql)));
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

  test.each([
    [
      "a page that the disk did not read, where the driver tells",
      "Tree 5 page 7: unable to get the page. error code=266",
      "STATS_STORE_FAILED",
    ],
    [
      "a page that did not authenticate, and does",
      "Tree 5 page 7: unable to get the page. error code=26",
      "STATS_STORE_FAILED",
    ],
    ["a page that makes no sense", "Tree 5 page 7: btreeInitPage() returns error code 11", "STATS_DAMAGED"],
    ["a page that contradicts another", "row 3 missing from index agent_stats_key_id", "STATS_DAMAGED"],
  ])("is told from damage: %s", (_, said, code) => {
    const file = copyOf(good, [""]);
    expect(codeOfOpening(file, KEY, "write", saying(driver, said))).toBe(code);
  });

  test("is told from a page that is not as it was written", () => {
    const file = copyOf(good, [""]);
    change(file, (bytes) => void flip(bytes, 3 * PAGE + 9, randomBy(1)));
    const opened = (code: number) =>
      codeOfOpening(file, KEY, "write", saying(driver, `Tree 5 page 4: unable to get the page. error code=${code}`));
    expect(opened(26)).toBe("STATS_DAMAGED");
    expect(opened(266), "control: where the driver tells of the disk, nothing else is asked").toBe(
      "STATS_STORE_FAILED",
    );
  });

  test("and another key, or damage, is no such disk", () => {
    const file = copyOf(good, [""]);
    expect(codeOfOpening(file, WRONG_KEY, "write")).toBe("STATS_KEY_REJECTED");
    change(file, (bytes) => void flip(bytes, 3 * PAGE + 9, randomBy(1)));
    expect(codeOfOpening(file, KEY, "write")).toBe("STATS_KEY_REJECTED");
  });
});

/** How far an erasure went, and that it says so: what is deleted leaves no page behind, or is told to be pending. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadDriver } from "../sqlcipher/drivers.ts";
import { describeDrivers, temporaryFolder } from "../sqlcipher/files.testing.ts";
import { SqliteCalls } from "./calls.ts";
import type { SqliteHandle } from "./handle.ts";
import { openHostFile } from "./host-file.ts";

const AT = 500_000 * 3_600_000;
const BY = { session: null, seen: 0, at: AT };
const PATIENCE_MS = 5_000;

describeDrivers("an erasure", (driver) => {
  /** A file with two users of many servers, its calls, and what happens when a statement is run on it. */
  function setUp({ ownFile = true } = {}) {
    const file = join(temporaryFolder(), "stats.db");
    const on: { readonly statement: RegExp; happens(): void }[] = [];
    const raw = () => {
      const handle = loadDriver(driver).open(file);
      handle.exec(`PRAGMA journal_mode = WAL; PRAGMA busy_timeout = ${PATIENCE_MS}`);
      return handle;
    };
    const handle = raw();
    const exec = (sql: string) => {
      for (const { statement, happens } of on) if (statement.test(sql)) happens();
      return handle.exec(sql);
    };
    const watched: SqliteHandle = { exec, prepare: (sql) => handle.prepare(sql), close: () => handle.close() };
    const open = () => ({ ...openHostFile(watched, { schema: "main", allowPlaintext: true }), ownFile });
    const calls = new SqliteCalls(open);
    const { session, seen } = calls.begin({ startedAt: AT, flushEveryMs: 5_000, seen: null });
    const keys = Array.from({ length: 400 }, (_, row) => [row, "smp", String(row % 2), `smp://${row}`] as const);
    const cells = Float64Array.from(keys.flatMap(([row]) => [row, 0, row + 1]));
    calls.save({ session, save: 1, seen, at: AT, hour: 500_000, keys, counters: ["sent"], cells });
    const value = (sql: string) => Object.values(handle.prepare(sql).get([]) as object)[0];
    const pending = () => value("SELECT value FROM agent_stats_meta WHERE name = 'erase_pending'");
    const timeout = () => value("PRAGMA busy_timeout");
    return { file, on, raw, calls, value, pending, timeout };
  }

  const deleteUser = (calls: SqliteCalls) => calls.deleteUser("1", "forget", BY).erased;

  test("that is done leaves no free page and no log, and the handle as patient as it was", () => {
    const { calls, file, value, pending, timeout } = setUp();
    const before = Number(value("PRAGMA page_count"));
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0);
    expect(deleteUser(calls)).toBe("physically");
    expect([value("PRAGMA freelist_count"), pending(), timeout()]).toEqual([0, 0, PATIENCE_MS]);
    expect(Number(value("PRAGMA page_count"))).toBeLessThan(before);
    // All that stands in the log by now is that the erasure is done.
    expect(statSync(`${file}-wal`).size).toBeLessThan(3 * 4_096);
    expect(calls.sums(null)).not.toHaveProperty("erasurePending");
    expect(calls.erase()).toBe("physically");
    calls.close();
  });

  test("that a reader holds up is pending, soon, and is done when the reader is gone", () => {
    const { calls, raw, pending, timeout, value } = setUp();
    const reader = raw();
    reader.exec("BEGIN; SELECT * FROM agent_stats_key");
    const statement = reader.prepare("SELECT COUNT(*) FROM agent_stats_key");
    statement.get([]);
    const began = performance.now();
    expect(deleteUser(calls)).toBe("pending");
    expect(performance.now() - began).toBeLessThan(PATIENCE_MS * 0.8);
    expect([pending(), timeout(), calls.sums(null).erasurePending]).toEqual([1, PATIENCE_MS, true]);
    expect(calls.erase()).toBe("pending");
    reader.exec("COMMIT");
    expect(calls.erase()).toBe("physically");
    expect([pending(), value("PRAGMA freelist_count")]).toEqual([0, 0]);
    reader.close();
    calls.close();
  });

  test("whose rewriting fails, or is held up at its end, is pending: the deletion is done all the same", () => {
    const { calls, on, raw, pending, timeout } = setUp();
    const full = () => {
      throw Object.assign(new Error("full"), { code: "SQLITE_FULL" });
    };
    on.push({ statement: /^VACUUM/, happens: full });
    expect(deleteUser(calls)).toBe("pending");
    expect([calls.sums(null).keys.length, timeout()]).toEqual([200, PATIENCE_MS]);
    expect(pending()).not.toBe(0);
    // Somebody begins to read just before the file is rewritten.
    const reader = raw();
    on[0] = {
      statement: /^VACUUM/,
      happens() {
        reader.exec("BEGIN");
        reader.prepare("SELECT COUNT(*) FROM agent_stats_key").get([]);
      },
    };
    expect(calls.erase()).toBe("pending");
    expect(pending()).not.toBe(0);
    reader.exec("COMMIT");
    on.splice(0);
    expect([calls.erase(), pending()]).toEqual(["physically", 0]);
    reader.close();
    calls.close();
  });

  test("does not answer for what others delete meanwhile: that is still to be erased", () => {
    const { calls, on, raw, pending } = setUp();
    const other = raw();
    const deletes = () => {
      on.splice(0);
      other.exec("DELETE FROM agent_stats_key WHERE user_id = '0'");
      other.exec("UPDATE agent_stats_meta SET value = 1 WHERE name = 'erase_pending'");
    };
    on.push({ statement: /^VACUUM/, happens: deletes });
    expect(deleteUser(calls)).toBe("pending");
    expect(pending()).toBe(1);
    expect([calls.erase(), pending()]).toEqual(["physically", 0]);
    other.close();
    calls.close();
  });

  test("of a host's file is the host's to do: it is logical, and stays so", () => {
    const { calls, value, pending } = setUp({ ownFile: false });
    expect(calls.erase(), "nothing to erase").toBe("physically");
    expect(deleteUser(calls)).toBe("logically");
    expect([calls.erase(), pending()]).toEqual(["logically", 1]);
    expect(Number(value("PRAGMA freelist_count"))).toBeGreaterThan(0);
    expect(calls.sums(null)).not.toHaveProperty("erasurePending");
    calls.close();
  });

  test("of a file with tables of others, read by whoever takes it for our own, is not told to be pending", () => {
    const { calls, raw, on } = setUp();
    on.push({
      statement: /^VACUUM/,
      happens() {
        throw new Error("not now");
      },
    });
    expect([deleteUser(calls), calls.sums(null).erasurePending]).toEqual(["pending", true]);
    const host = raw();
    host.exec("CREATE TABLE users (id INTEGER)");
    expect(calls.sums(null)).not.toHaveProperty("erasurePending");
    host.close();
    calls.close();
  });
});

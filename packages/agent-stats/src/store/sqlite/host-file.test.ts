/** Which file of the host's is meant, what is done beside it, and what it must be. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { loadDriver } from "../sqlcipher/drivers.ts";
import { describeDrivers, KEY } from "../sqlcipher/files.testing.ts";
import { SqliteCalls } from "./calls.ts";
import { count, openHost, openIn } from "./host.testing.ts";
import { openHostFile } from "./host-file.ts";
import { partsOf } from "./parts.ts";
import { sqliteStore } from "./store.ts";

describeDrivers("a handle of the host's", (driver) => {
  test("has the file that is named, with its locks beside it, and none of another name", async () => {
    const host = openHost(driver);
    host.handle.exec(`ATTACH '${join(dirname(host.file), "stats.db")}' AS numbers KEY "x'${KEY}'"`);
    const { stats } = await openIn(host, { schema: "numbers" });
    count(stats);
    await stats.flush();
    const locks = readdirSync(dirname(host.file)).filter((name) => name.includes("-session-"));
    expect(locks).toEqual(["stats.db-session-1"]);
    await stats.close();
    const store = sqliteStore(host.handle, { schema: "nothing" });
    await expect(store.sessions()).rejects.toMatchObject({ code: "STATS_READ_ONLY" });
    expect(() => sqliteStore(host.handle, { schema: "a b" })).toThrow(/are plain identifiers here/);
    await store.close();
  });

  test("in memory has its locks there: no file comes of it", async () => {
    // Left by a run that failed.
    rmSync("-session-1", { force: true });
    const { stats } = await openIn({ handle: loadDriver(driver).open(":memory:") });
    count(stats);
    await stats.flush();
    expect((await stats.getSessions()).map(({ how }) => how)).toEqual(["running"]);
    expect(existsSync("-session-1")).toBe(false);
    await stats.close();
  });

  test("that cannot open another keeps all the same, and takes its own session for one that lives", async () => {
    const { handle } = openHost(driver);
    const plain = {
      exec: (sql: string) => handle.exec(sql),
      prepare: (sql: string) => handle.prepare(sql),
      close: () => {},
    };
    const { stats } = await openIn({ handle: plain });
    count(stats);
    await stats.flush();
    expect((await stats.getSessions()).map(({ how }) => how)).toEqual(["running"]);
    await stats.close();
    const { stats: next } = await openIn({ handle: plain });
    expect((await next.getSessions()).map(({ how }) => how)).toEqual(["close", "running"]);
    await next.close();
  });

  test("that cannot tell whether it is encrypted is taken for one that is not", async () => {
    const { handle } = openHost(driver);
    const prepare = (sql: string) => {
      if (/cipher_salt/.test(sql)) throw new Error("no such pragma");
      return handle.prepare(sql);
    };
    const store = sqliteStore({ exec: (sql) => handle.exec(sql), prepare, close: () => {} });
    await expect(store.sessions()).rejects.toMatchObject({ code: "STATS_NOT_ENCRYPTED" });
  });

  test("is the host's to rewrite: a deletion is logical, and no byte is moved by it", async () => {
    const host = openHost(driver);
    const { stats } = await openIn(host);
    count(stats);
    await stats.flush();
    expect(await stats.deleteUser(1)).toEqual({ erased: "logically" });
    await stats.close();
  });

  test("answers in parts what is long, the same as at once, and nothing else", async () => {
    const { handle } = openHost(driver);
    const { stats } = await openIn({ handle });
    count(stats);
    await stats.close();
    const calls = new SqliteCalls(() => openHostFile(handle, { schema: "main", allowPlaintext: false }));
    for (const [method, args] of [
      ["sums", [null]],
      ["hours", [0, 1_000_000]],
    ] as const) {
      const parts = partsOf(method);
      const put: unknown[] = [];
      const head = calls.inParts(method, args, (part) => {
        put.push(part);
        parts?.add(part);
      });
      expect(put.length).toBeGreaterThan(1);
      const whole = (calls[method] as (...given: readonly unknown[]) => unknown)(...args);
      expect(parts?.whole(head as never)).toEqual(whole);
    }
    expect([partsOf("sessions"), calls.inParts("sessions", [], () => expect.unreachable())]).toEqual([null, undefined]);
    calls.close();
  });
});

/** A database that fails, vanishes or is another one: what is opened anew, what is believed, and what is written. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeDrivers, temporaryFolder } from "../sqlcipher/files.testing.ts";
import type { SaveBatch } from "../store.ts";
import { SqliteCalls } from "./calls.ts";
import type { OpenDatabase, SqliteHandle } from "./handle.ts";
import { openHandle } from "./host.testing.ts";
import { openHostFile } from "./host-file.ts";

const AT = 500_000 * 3_600_000;
const BEGIN = { startedAt: AT, flushEveryMs: 5_000, seen: null };

function batch(session: number, save: number, value: number): SaveBatch {
  const keys = [[0, "smp", "1", "smp://a"]] as const;
  const cells = Float64Array.of(0, 0, value);
  return { session, save, seen: 0, at: AT, hour: 500_000, keys, counters: ["sent"], cells };
}

describeDrivers("a connection", (driver) => {
  /** Calls on files that a test chooses, each of which fails when and how it says. */
  function setUp(options: Partial<Pick<OpenDatabase, "ownFile" | "assertReadable">> = {}) {
    const world = {
      file: join(temporaryFolder(), "one.db"),
      opened: 0,
      closed: 0,
      /** The statements that fail, and with what. */
      failing: null as { readonly sql: RegExp; readonly code: string } | null,
      failsToClose: false,
      prepared: [] as string[],
    };
    const open = (): OpenDatabase => {
      world.opened++;
      const raw = openHandle(driver, world.file);
      const prepare = (sql: string) => {
        world.prepared.push(sql);
        const made = raw.prepare(sql);
        const guarded =
          <P extends unknown[], R>(method: (...args: P) => R) =>
          (...args: P) => {
            if (world.failing?.sql.test(sql)) throw Object.assign(new Error("no"), { code: world.failing.code });
            return method.apply(made, args);
          };
        return { run: guarded(made.run), get: guarded(made.get), all: guarded(made.all) };
      };
      const handle: SqliteHandle = { exec: (sql) => raw.exec(sql), prepare, close: () => raw.close() };
      const close = () => {
        world.closed++;
        if (world.failsToClose) throw new Error("it does not close");
        raw.close();
      };
      return { ...openHostFile(handle, { schema: "main", allowPlaintext: true }), close, ...options };
    };
    const calls = new SqliteCalls(open);
    return { world, calls };
  }

  const raw = <R>(file: string, sql: string) => openHandle(driver, file).prepare(sql).all([]) as R[];
  const codeOf = (call: () => unknown) => {
    try {
      call();
    } catch (error) {
      return (error as { code: string }).code;
    }
    return null;
  };

  test("is opened by the first call, and again only after a failure that it may not survive", () => {
    for (const [code, told, opened] of [
      ["SQLITE_BUSY", "STATS_BUSY", 1],
      ["SQLITE_FULL", "STATS_DISK_FULL", 1],
      ["SQLITE_IOERR_READ", "STATS_STORE_FAILED", 2],
      ["SQLITE_READONLY", "STATS_READ_ONLY", 2],
      ["SQLITE_CANTOPEN", "STATS_READ_ONLY", 2],
      ["SQLITE_CORRUPT", "STATS_DAMAGED", 2],
      ["SQLITE_NOTADB", "STATS_DAMAGED", 2],
      ["STATS_MOVED", "STATS_STORE_FAILED", 2],
    ] as const) {
      const { world, calls } = setUp();
      expect(world.opened).toBe(0);
      const { session } = calls.begin(BEGIN);
      expect(calls.save(batch(session, 1, 5))).toEqual({ outcome: "saved" });
      world.failing = { sql: /FROM agent_stats_audit/, code };
      world.failsToClose = opened === 2;
      expect(codeOf(() => calls.audit())).toBe(told);
      world.failing = null;
      world.failsToClose = false;
      // The session goes on, with the lock that it had: its keys are known still.
      expect(calls.save({ ...batch(session, 2, 7), keys: [] }), code).toEqual({ outcome: "saved" });
      expect([world.opened, world.closed], code).toEqual([opened, opened - 1]);
      expect(calls.sessions().map(({ how }) => how)).toEqual([null]);
      calls.close();
      expect(world.closed).toBe(opened);
    }
  });

  test("believes damage where it is there again, and calls it the disk's failure where it is not", () => {
    let seen: string | null = null;
    const assertReadable = () => {
      if (seen !== null) throw Object.assign(new Error("no"), { code: seen });
    };
    const { world, calls } = setUp({ assertReadable });
    calls.sessions();
    world.failing = { sql: /FROM agent_stats_audit/, code: "SQLITE_CORRUPT" };
    expect(() => calls.audit()).toThrow(
      expect.objectContaining({ code: "STATS_STORE_FAILED", cause: { code: "SQLITE_IOERR" } }),
    );
    seen = "SQLITE_CORRUPT";
    expect(codeOf(() => calls.audit())).toBe("STATS_DAMAGED");
    world.failing = { sql: /FROM agent_stats_audit/, code: "SQLITE_NOTADB" };
    expect(codeOf(() => calls.audit())).toBe("STATS_DAMAGED");
    seen = null;
    world.failing = { sql: /FROM agent_stats_audit/, code: "SQLITE_CORRUPT_INDEX" };
    expect(codeOf(() => calls.audit())).toBe("STATS_DAMAGED");
    seen = "SQLITE_IOERR";
    world.failing = { sql: /FROM agent_stats_audit/, code: "SQLITE_NOTADB" };
    expect(codeOf(() => calls.audit())).toBe("STATS_STORE_FAILED");
    world.failing = { sql: /FROM agent_stats_audit/, code: "SQLITE_FULL" };
    expect(codeOf(() => calls.audit())).toBe("STATS_DISK_FULL");
    world.failing = null;
    expect(calls.audit()).toEqual([]);
    calls.close();
  });

  test("counts each change of a file of its own, and none in a host's", () => {
    for (const ownFile of [true, false]) {
      const { world, calls } = setUp({ ownFile });
      const { session } = calls.begin(BEGIN);
      calls.save(batch(session, 1, 5));
      calls.sums(null);
      // What changes nothing is no change.
      expect(calls.fold({ session, at: AT })).toBe(0);
      calls.prune(0);
      const [row] = raw<{ value: number }>(world.file, "SELECT value FROM agent_stats_meta WHERE name = 'changes'");
      expect(row?.value).toBe(ownFile ? 2 : undefined);
      calls.close();
    }
  });

  describe("to a file in whose place another one stands", () => {
    /** A session of one file, and calls that find another: with a session of the same number, and deletions. */
    function replaced() {
      const { world, calls } = setUp();
      const mine = calls.begin(BEGIN);
      calls.save(batch(mine.session, 1, 5));
      const others = setUp();
      const theirs = others.calls.begin(BEGIN);
      others.calls.save(batch(theirs.session, 1, 100));
      others.calls.deleteUser("7", "forget", { session: null, seen: 0, at: AT });
      expect(theirs.session).toBe(mine.session);
      calls.close();
      world.file = others.world.file;
      return { calls, session: mine.session, others };
    }

    test("a session writes nothing, and is told that it is over, with nothing of it saved", () => {
      const { calls, session, others } = replaced();
      expect(calls.save(batch(session, 2, 7))).toEqual({ outcome: "closed", clears: [], saves: 0 });
      // What stands there is somebody else's, all of it.
      const keys = [{ open: { sent: 100 } }];
      expect(calls.sums({ session, seen: 0 })).toMatchObject({ closed: true, saves: 0, keys });
      expect(calls.sums(null)).toMatchObject({ closed: false, keys });
      calls.close();
      others.calls.close();
    });

    test("a session hears of all deletions there, whatever it had heard of before", () => {
      const { calls, others } = replaced();
      expect(calls.deletedAmong(["1", "7"], 99)).toEqual(["7"]);
      expect(others.calls.deletedAmong(["1", "7"], 99)).toEqual([]);
      expect(calls.begin({ ...BEGIN, seen: 99 }).seen).toBe(0);
      // From here on it is this file's: what it has heard of counts again.
      expect(calls.begin({ ...BEGIN, startedAt: AT + 1, seen: 99 }).seen).toBe(99);
      calls.close();
      others.calls.close();
    });
  });

  test("prepares each statement once", () => {
    const { world, calls } = setUp();
    const { session } = calls.begin(BEGIN);
    calls.save(batch(session, 1, 5));
    expect(world.prepared.length).toBeGreaterThan(8);
    world.prepared.splice(0);
    calls.save(batch(session, 2, 6));
    expect(world.prepared).toEqual([]);
    calls.close();
  });
});

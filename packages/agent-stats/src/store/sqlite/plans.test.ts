import { expect, test } from "vitest";
import { describeDrivers } from "../sqlcipher/files.testing.ts";
import type { StatsStore } from "../store.ts";
import type { SqliteHandle } from "./handle.ts";
import { openHost } from "./host.testing.ts";
import { sqliteStore } from "./store.ts";

/** A handle that remembers what it was asked to prepare. */
function listening(handle: SqliteHandle): { readonly handle: SqliteHandle; taken(): string[] } {
  const heard = new Set<string>();
  const prepare = (sql: string) => {
    heard.add(sql);
    return handle.prepare(sql);
  };
  const taken = () => {
    const all = [...heard].filter((sql) => /^\s*(SELECT|INSERT|UPDATE|DELETE)/.test(sql));
    heard.clear();
    return all;
  };
  return { handle: { exec: (sql) => handle.exec(sql), prepare, close: () => handle.close() }, taken };
}

/** The tables that a statement reads from end to end, or sorts without an index. */
function scansOf(handle: SqliteHandle, sql: string): string[] {
  const plan = handle.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(Array((sql.match(/\?/g) ?? []).length).fill(1));
  return (plan as { detail: string }[])
    .map(({ detail }) => detail)
    .filter((detail) => /^SCAN (?!CONSTANT)|TEMP B-TREE/.test(detail));
}

const AT = 500_000 * 3_600_000;

async function save(store: StatsStore): Promise<void> {
  const { session, seen } = await store.begin({ startedAt: AT, flushEveryMs: 5_000, seen: null });
  const keys = [[0, "smp", "1", "smp://a.example"]] as const;
  const cells = Float64Array.of(0, 0, 1);
  await store.save({ session, save: 1, seen, at: AT, hour: 500_000, keys, counters: ["sent"], cells });
}

describeDrivers("query plans", (driver) => {
  test("a save finds everything it needs by an index, however much history there is", async () => {
    const host = openHost(driver);
    const { handle, taken } = listening(host.handle);
    const store = sqliteStore(handle);
    await store.sessions();
    taken();
    await save(store);
    const statements = taken();
    expect(statements.length).toBeGreaterThan(8);
    expect(statements.flatMap((sql) => scansOf(host.handle, sql))).toEqual([]);
    await store.close();
  });

  test("lines and report keys are read in the order of their table, without sorting", async () => {
    const host = openHost(driver);
    const { handle, taken } = listening(host.handle);
    const store = sqliteStore(handle);
    await store.sessions();
    taken();
    await store.audit();
    await store.reportKeys();
    const scans = taken().flatMap((sql) => scansOf(host.handle, sql));
    expect(scans.sort()).toEqual(["SCAN agent_stats_audit", "SCAN agent_stats_report"]);
    await store.close();
  });

  test("control: a statement without an index is seen", () => {
    const { handle } = openHost(driver);
    expect(scansOf(handle, "SELECT * FROM users WHERE name > ? ORDER BY name")).toHaveLength(2);
    expect(scansOf(handle, "SELECT * FROM users WHERE user_id = ?")).toEqual([]);
  });
});

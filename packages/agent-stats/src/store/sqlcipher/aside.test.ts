import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { sqlcipherStore as builtStore } from "agent-stats/sqlcipher";
import { beforeAll, expect, test, vi } from "vitest";
import { openAgentStats } from "../../keep/open.ts";
import { copiesAside } from "./aside.ts";
import { runSql, WRONG_KEY } from "./bad-input.testing.ts";
import { moveAsideIfDamaged } from "./damaged.ts";
import { change, copyOf, flip, type Made, made, randomBy, smp, sumsIn } from "./examine/damage.testing.ts";
import { bytesIn, describeDrivers, KEY, PATIENCE, temporaryFolder } from "./files.testing.ts";
import { keyLiteral } from "./key.ts";
import { moveAside, type SqlcipherOptions, sqlcipherStore } from "./store.ts";

vi.mock("node:child_process", { spy: true });

const PAGE = 4_096;

describeDrivers("a damaged file, moved aside", (driver) => {
  let live: Made;
  let good: string;
  beforeAll(async () => {
    live = await made(driver, 21);
    good = copyOf(live.file);
    const { stats } = live;
    await stats.close();
  });

  const open = async (file: string, options: Partial<SqlcipherOptions> = {}) => {
    const problems: (string | null)[] = [];
    const stats = await openAgentStats({
      protocols: [smp],
      store: sqlcipherStore({ file, key: KEY, driver, thread: "same", ifDamaged: "move-aside", ...options }),
      flushEvery: 50,
      onProblem: (problem) => problems.push(problem?.code ?? null),
    });
    return { stats, problems };
  };

  /** Whatever is done to the file: it is moved with all its bytes, the host is told, and what it counts is kept. */
  const isMoved = async (file: string) => {
    const before = ["", "-wal"].map((part) => (existsSync(file + part) ? readFileSync(file + part) : null));
    const { stats, problems } = await open(file);
    stats.server(smp, 7, "smp://new.example").add("sent", 5);
    await expect.poll(() => problems, PATIENCE).toEqual(["STATS_MOVED_ASIDE", null]);
    await stats.flush();
    await stats.close();
    expect([...(await sumsIn(file, driver)).values()]).toEqual([5]);
    const [copy, ...others] = copiesAside(file);
    expect(others).toEqual([]);
    const after = ["", "-wal"].map((part) => (existsSync(copy + part) ? readFileSync(copy + part) : null));
    expect(after).toEqual(before);
    expect(readdirSync(dirname(file)).filter((name) => /creating|new|session/.test(name))).toEqual([]);
  };

  test.each([
    ["a page", (file: string) => change(file, (bytes) => void flip(bytes, 3 * PAGE + 9, randomBy(1)))],
    ["the first page", (file: string) => change(file, (bytes) => void flip(bytes, 99, randomBy(2)))],
    ["its end cut off", (file: string) => change(file, (bytes) => bytes.subarray(0, 5 * PAGE - 7))],
  ])("with %s damaged", async (_, harm) => {
    const file = copyOf(good, [""]);
    runSql({ file, driver }, KEY, "PRAGMA wal_checkpoint");
    harm(file);
    await isMoved(file);
  });

  test("that has no bytes any more, with what stands in its WAL", async () => {
    const file = copyOf(good, ["", "-wal"]);
    writeFileSync(file, "");
    await isMoved(file);
  });

  test("by default stays, and so does every byte beside it", async () => {
    const file = copyOf(good, [""]);
    change(file, (bytes) => void flip(bytes, 3 * PAGE + 9, randomBy(1)));
    const { stats, problems } = await open(file, { ifDamaged: "refuse" });
    stats.server(smp, 7, "smp://new.example").add("sent", 5);
    await stats.flush().catch(() => {});
    expect(problems).toEqual(["STATS_DAMAGED"]);
    expect(copiesAside(file)).toEqual([]);
    await stats.close().catch(() => {});
  });

  test.each<[string, string, (file: string) => void]>([
    ["another key", "STATS_KEY_REJECTED", (file) => runSql({ file, driver }, WRONG_KEY, "CREATE TABLE mine (n)")],
    [
      "a newer schema",
      "STATS_NEWER_SCHEMA",
      (file) => {
        writeFileSync(file, readFileSync(good));
        runSql({ file, driver }, KEY, "UPDATE agent_stats_meta SET value = 999 WHERE name = 'schema_version'");
      },
    ],
    ["no encryption", "STATS_NOT_ENCRYPTED", (file) => runSql({ file, driver }, null, "CREATE TABLE mine (n)")],
    ["another kind", "STATS_NOT_A_DATABASE", (file) => writeFileSync(file, "# Notes\n")],
    ["another kind, of whole pages", "STATS_KEY_REJECTED", (file) => writeFileSync(file, Buffer.alloc(5 * PAGE, 7))],
  ])("never is one of %s", async (_, code, make) => {
    const file = join(temporaryFolder(), "stats.db");
    make(file);
    const before = bytesIn(dirname(file));
    const { stats, problems } = await open(file);
    stats.server(smp, 7, "smp://new.example").add("sent", 5);
    for (let i = 0; i < 3; i++) await expect(stats.flush()).rejects.toMatchObject({ code });
    expect(problems).toEqual([code]);
    expect(bytesIn(dirname(file))).toEqual(before);
    await stats.close().catch(() => {});
  });

  test("is never moved for a disk that fails, whatever its errors look like, and is when it can be read again", () => {
    const file = copyOf(good, [""]);
    const isMoved = moveAsideIfDamaged({ file, keyLiteral: keyLiteral(KEY), driver });
    const suspicious = ["STATS_DAMAGED", "STATS_KEY_REJECTED", "STATS_NOT_A_DATABASE", "STATS_EMPTY_FILE"];
    // SQLite takes what it could not read for damage; read again, it is whole.
    expect(suspicious.map(isMoved)).toEqual([false, false, false, false]);
    change(file, (bytes) => void flip(bytes, 3 * PAGE + 9, randomBy(1)));
    vi.mocked(execFileSync).mockImplementation(() => {
      throw Object.assign(new Error("read error"), { status: 1 });
    });
    expect(suspicious.map(isMoved)).toEqual([false, false, false, false]);
    vi.mocked(execFileSync).mockReset();
    expect(copiesAside(file)).toEqual([]);
    expect(["STATS_BUSY", "STATS_NEWER_SCHEMA", "STATS_READ_ONLY", "STATS_STORE_FAILED"].map(isMoved)).not.toContain(
      true,
    );
    expect(isMoved("STATS_DAMAGED"), "control: when it can be read, it is proven").toBe(true);
    expect(copiesAside(file)).toHaveLength(1);
  });

  test("is moved once, however many threads find it", async () => {
    const file = copyOf(good, [""]);
    change(file, (bytes) => void flip(bytes, 3 * PAGE + 9, randomBy(1)));
    const all = await Promise.all(
      [1, 2, 3].map(async (user) => {
        const stats = await openAgentStats({
          protocols: [smp],
          store: builtStore({ file, key: KEY, driver, ifDamaged: "move-aside" }),
          flushEvery: 50,
          onProblem: () => {},
        });
        stats.server(smp, user, "smp://new.example").add("sent", user);
        return stats;
      }),
    );
    await expect.poll(() => all.map(({ problem }) => problem), PATIENCE).toEqual([null, null, null]);
    for (const stats of all) await stats.flush();
    for (const stats of all) await stats.close();
    expect(copiesAside(file)).toHaveLength(1);
    expect([...(await sumsIn(file, driver)).values()].sort()).toEqual([1, 2, 3]);
  });

  test("on somebody's word, whatever it is, and under a name that nothing has", async () => {
    const file = join(temporaryFolder(), "stats.db");
    await expect(moveAside({ file, driver })).rejects.toMatchObject({ code: "STATS_MISSING" });
    const copies: string[] = [];
    for (const text of ["one", "two", "three"]) {
      writeFileSync(file, text);
      writeFileSync(`${file}-wal`, `${text} too`);
      copies.push(await moveAside({ file, driver }));
    }
    expect(copies.map((copy) => [copy, "-wal"].map((part, i) => readFileSync(i ? copy + part : part, "utf8")))).toEqual(
      [
        ["one", "one too"],
        ["two", "two too"],
        ["three", "three too"],
      ],
    );
    expect(copiesAside(file).sort()).toEqual([...copies].sort());
    expect(basename(copies[0] as string)).toMatch(/^stats\.db-aside-\d{8}T\d{6}Z$/);
  });
});

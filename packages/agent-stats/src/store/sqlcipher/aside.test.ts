import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { sqlcipherStore as builtStore } from "agent-stats/sqlcipher";
import { beforeAll, expect, test, vi } from "vitest";
import { openAgentStats } from "../../keep/open.ts";
import { copiesAside } from "./aside.ts";
import { runSql, WRONG_KEY } from "./bad-input.testing.ts";
import { moveAsideIfDamaged } from "./damaged.ts";
import { loadDriver } from "./drivers.ts";
import {
  change,
  copyOf,
  count,
  FRAME,
  flip,
  type Made,
  made,
  randomBy,
  smp,
  sumsIn,
  type Truth,
} from "./examine/damage.testing.ts";
import { bytesIn, describeDrivers, KEY, PATIENCE, temporaryFolder } from "./files.testing.ts";
import { keyLiteral } from "./key.ts";
import { decryptedPages } from "./pages.testing.ts";
import { moveAside, type SqlcipherOptions, sqlcipherStore } from "./store.ts";

vi.mock("node:child_process", { spy: true });

const PAGE = 4_096;
const USER = "user-1";

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

describeDrivers("forgetting, in copies that were moved aside", (driver) => {
  const holdsUser = (file: string) => decryptedPages(file, KEY).filter((page) => page.includes(USER)).length;
  const foundIn = (folder: string) =>
    readdirSync(folder)
      .filter((name) => !/-(wal|shm)$/.test(name) && readFileSync(join(folder, name)).length > 0)
      .map((name) => holdsUser(join(folder, name)))
      .reduce((sum, n) => sum + n, 0);

  /** A host with a new file, beside one that was moved aside, with its WAL; `harm` damages that before. */
  const setUp = async (seed: number, harm: (file: string) => void) => {
    const { file, stats: before, truth } = await made(driver, seed);
    const copy = copyOf(file, ["", "-wal"]);
    await before.close();
    harm(copy);
    const aside = await moveAside({ file: copy, driver });
    const done: string[] = [];
    const stats = await openAgentStats({
      protocols: [smp],
      store: sqlcipherStore({ file: copy, key: KEY, driver, thread: "same" }),
      flushEvery: 50,
      onErased: () => done.push("erased"),
    });
    stats.server(smp, USER, "smp://new.example").add("sent", 5);
    stats.server(smp, "user-0", "smp://new.example").add("sent", 3);
    await stats.flush();
    return { file: copy, aside, stats, truth, done };
  };
  const ofOthers = (truth: Truth) => new Map([...truth].filter(([id]) => JSON.parse(id)[0] !== USER));

  test("leaves nothing of the user in any page of any file, and the others as they were", async () => {
    const { file, aside, stats, truth } = await setUp(31, () => {});
    expect(foundIn(dirname(file)), "control: found before").toBeGreaterThan(5);
    expect(await stats.deleteUser(USER)).toEqual({ erased: "physically" });
    expect(foundIn(dirname(file))).toBe(0);
    expect(await sumsIn(aside, driver)).toEqual(ofOthers(truth));
    // Another one, from a copy that was rewritten already.
    await stats.deleteUser("user-0");
    expect([...(await sumsIn(aside, driver)).keys()].every((id) => JSON.parse(id)[0] === "user-2")).toBe(true);
    await stats.close();
    expect(readdirSync(dirname(file)).sort()).toEqual(["stats.db", basename(aside)]);
  });

  test.each<[string, (file: string) => void]>([
    ["a page", (file) => change(file, (bytes) => void flip(bytes, 3 * PAGE + 4_090, randomBy(1)))],
    ["many pages", (file) => change(file, (bytes) => bytes.fill(1, 6 * PAGE))],
    ["its first page", (file) => change(file, (bytes) => void flip(bytes, 100, randomBy(1)))],
    ["its salt", (file) => change(file, (bytes) => void flip(bytes, 3, randomBy(1)))],
    ["its WAL", (file) => change(`${file}-wal`, (bytes) => void flip(bytes, 32 + 2 * FRAME + 99, randomBy(1)))],
    [
      "all of its HMACs",
      (file) =>
        change(file, (bytes) => {
          for (let at = PAGE - 1; at < bytes.length; at += PAGE) flip(bytes, at, randomBy(at));
          return bytes;
        }),
    ],
    ["all its bytes, but for its WAL", (file) => writeFileSync(file, "")],
    ["its file, but for its WAL", (file) => rmSync(file)],
  ])("with %s damaged: what cannot be read could still hold the name, and goes", async (what, harm) => {
    const { file, stats, truth } = await (what.startsWith("its file") ? orphaned() : setUp(32, harm));
    expect(copiesAside(file)).toHaveLength(1);
    expect(await stats.deleteUser(USER)).toEqual({ erased: "physically" });
    for (const name of readdirSync(dirname(file)).filter((name) => !/-(shm|wal)$|session/.test(name))) {
      expect(holdsUser(join(dirname(file), name)), name).toBe(0);
      if (!name.includes("aside")) continue;
      for (const [id, value] of await sumsIn(join(dirname(file), name), driver)) {
        expect(value).toBeLessThanOrEqual(truth.get(id) ?? 0);
      }
    }
    expect(readdirSync(dirname(file)).filter((name) => /aside.*-wal$/.test(name))).toEqual([]);
    await stats.close();
  });

  /** A WAL whose file was removed, as the next start finds it. */
  const orphaned = async () => {
    const { file, stats: before, truth } = await made(driver, 33);
    const wal = copyOf(file, ["-wal"]);
    await before.close();
    const stats = await openAgentStats({
      protocols: [smp],
      store: sqlcipherStore({ file: wal, key: KEY, driver, thread: "same" }),
    });
    return { file: wal, stats, truth };
  };

  test("never touches a copy of another key", async () => {
    const { file, aside, stats } = await setUp(34, () => {});
    const other = join(dirname(file), `${basename(file)}-aside-20200101T000000Z`);
    runSql({ file: other, driver }, WRONG_KEY, "CREATE TABLE mine (n); INSERT INTO mine VALUES (1)");
    const before = readFileSync(other);
    expect(await stats.deleteUser(USER)).toEqual({ erased: "physically" });
    expect(readFileSync(other).equals(before)).toBe(true);
    expect(holdsUser(aside)).toBe(0);
    await stats.close();
  });

  test("is pending while it cannot be done, and done by itself later, also by another start", async () => {
    for (const restarts of [false, true]) {
      const { file, aside, stats, done } = await setUp(35, () => {});
      mkdirSync(`${aside}-kept`);
      expect(await stats.deleteUser(USER)).toEqual({ erased: "pending" });
      expect(holdsUser(aside), "control: it is still there").toBeGreaterThan(0);
      expect(holdsUser(file), "in the file itself it is not").toBe(0);
      if (restarts) await stats.close();
      rmdirSync(`${aside}-kept`);
      const again = restarts
        ? await openAgentStats({ store: sqlcipherStore({ file, key: KEY, driver, thread: "same" }) })
        : stats;
      await expect.poll(() => holdsUser(aside), PATIENCE).toBe(0);
      if (!restarts) await expect.poll(() => done, PATIENCE).toEqual(["erased"]);
      await again.close();
      const { open, beforeKey } = loadDriver(driver);
      const handle = open(file);
      handle.exec(`${beforeKey}; PRAGMA key = "x'${KEY}'"`);
      expect(handle.prepare("SELECT name FROM agent_stats_meta WHERE name LIKE 'aside%'").all([])).toEqual([]);
      handle.close();
    }
  });

  test("control: counts that nobody deleted are found in the copy", async () => {
    const { aside, stats, truth } = await setUp(36, () => {});
    const more: Truth = new Map();
    count(stats, more, randomBy(1), 5);
    await stats.deleteUser("nobody");
    expect(await sumsIn(aside, driver)).toEqual(truth);
    expect(holdsUser(aside)).toBeGreaterThan(0);
    await stats.close();
  });
});

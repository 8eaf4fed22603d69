import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { openAgentStats } from "../../keep/open.ts";
import { copiesAside } from "./aside.ts";
import { runSql, WRONG_KEY } from "./bad-input.testing.ts";
import { loadDriver } from "./drivers.ts";
import {
  change,
  copyOf,
  count,
  FRAME,
  flip,
  made,
  randomBy,
  smp,
  sumsIn,
  type Truth,
} from "./examine/damage.testing.ts";
import { describeDrivers, KEY, PATIENCE } from "./files.testing.ts";
import { decryptedPages } from "./pages.testing.ts";
import { moveAside, sqlcipherStore } from "./store.ts";

const PAGE = 4_096;
const USER = "user-1";

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

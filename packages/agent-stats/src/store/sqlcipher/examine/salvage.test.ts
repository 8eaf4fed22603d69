import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { runSql } from "../bad-input.testing.ts";
import { loadDriver } from "../drivers.ts";
import { bytesIn, describeDrivers, KEY, temporaryFolder } from "../files.testing.ts";
import { decryptedPages } from "../pages.testing.ts";
import { type Salvaged, salvageFile, verifyFile } from "../store.ts";
import {
  change,
  copyOf,
  count,
  DELETED,
  FRAME,
  flip,
  HARMS,
  historyIn,
  type Made,
  made,
  openAt,
  pagesIn,
  randomBy,
  smp,
  sumsIn,
  type Truth,
  WAL_HEADER,
} from "./damage.testing.ts";

const PAGE = 4_096;
const SEEDS = 4;

describeDrivers("salvage", (driver) => {
  // Many files each: a busy machine is no reason to fail.
  vi.setConfig({ testTimeout: 120_000 });

  const newFile = () => join(temporaryFolder(), "salvaged.db");
  const salvage = async (from: string): Promise<{ to: string; salvaged: Salvaged }> => {
    const to = newFile();
    return { to, salvaged: await salvageFile({ from, to, key: KEY, driver, thread: "same" }) };
  };
  let live: Made;
  let killed: string;
  let closed: string;
  let truthOfClosed: Truth;
  beforeAll(async () => {
    live = await made(driver, 11);
    killed = copyOf(live.file);
    const other = await made(driver, 12);
    await other.stats.close();
    closed = other.file;
    truthOfClosed = other.truth;
  });

  /** Nothing is more than it was, what is said to be exact is exact, and the file is one that can be counted on. */
  const holds = async (to: string, salvaged: Salvaged, truth: Truth, about: string) => {
    const sums = await sumsIn(to, driver);
    for (const [id, value] of sums) {
      expect(truth.get(id), `${about}: ${id} was counted`).toBeDefined();
      expect(value, `${about}: ${id}`).toBeLessThanOrEqual(truth.get(id) as number);
    }
    for (const [id, value] of await historyIn(to, driver)) expect(value, about).toBeLessThanOrEqual(truth.get(id) ?? 0);
    if (salvaged.sums === "exact") expect(sums, about).toEqual(truth);
    if (salvaged.history === "exact") expect(await historyIn(to, driver), about).toEqual(truth);
    const { findings } = await verifyFile({ file: to, key: KEY, driver, thread: "same" });
    expect(findings, about).toEqual([]);
  };

  test("of a file that is as it was written loses nothing, also from its WAL, and changes not a byte", async () => {
    for (const [file, truth] of [
      [closed, truthOfClosed],
      [killed, live.truth],
      [live.file, live.truth],
    ] as const) {
      const before = bytesIn(dirname(file));
      const { to, salvaged } = await salvage(file);
      expect(salvaged).toMatchObject({ complete: true, sums: "exact", history: "exact", read: { sessions: 4 } });
      expect(salvaged.lost).toEqual({ pages: 0, walFrames: 0, numbers: 0, sessions: 0 });
      await holds(to, salvaged, truth, file);
      expect(bytesIn(dirname(file))).toEqual(before);
      expect(Object.keys(bytesIn(dirname(to)))).toEqual(["salvaged.db"]);
    }
  });

  test("of a file with any one page lost: nothing is more than it was, and most of it is there", async () => {
    const found = { exact: 0, most: 0, all: 0, refused: 0 };
    for (let page = 0; page < pagesIn(closed); page += 3) {
      const file = copyOf(closed);
      change(file, (bytes) => void flip(bytes, page * PAGE + 16 + randomBy(page)(PAGE - 16), randomBy(page)));
      found.all += 1;
      const { to, salvaged } = await salvage(file);
      expect(salvaged.complete, `page ${page}`).toBe(false);
      expect(salvaged.lost.pages).toBe(1);
      await holds(to, salvaged, truthOfClosed, `page ${page}`);
      if (salvaged.sums === "exact") found.exact += 1;
      if ((await sumsIn(to, driver)).size > truthOfClosed.size / 2) found.most += 1;
    }
    expect(found.exact, JSON.stringify(found)).toBeGreaterThan(found.all / 4);
    expect(found.most, JSON.stringify(found)).toBeGreaterThan(found.all * 0.8);
  });

  test.each(Object.entries(HARMS))("of a file with %s: nothing is more than it was", async (name, harm) => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const file = copyOf(closed);
      change(file, (bytes) => harm(bytes, randomBy(seed)));
      const bytes = readFileSync(file);
      try {
        const { to, salvaged } = await salvage(file);
        expect(salvaged.complete).toBe(false);
        await holds(to, salvaged, truthOfClosed, `${name}, seed ${seed}`);
      } catch (error) {
        expect(error).toMatchObject({ code: "STATS_DAMAGED" });
      }
      expect(readFileSync(file).equals(bytes), "the damaged file is as it was").toBe(true);
    }
  });

  test("of a damaged WAL: the last moment that can be read whole, and how much came after it", async () => {
    const random = randomBy(5);
    const frames = (readFileSync(`${killed}-wal`).length - WAL_HEADER) / FRAME;
    for (let frame = random(3); frame < frames; frame += 2 + random(6)) {
      const file = copyOf(killed);
      const at = WAL_HEADER + frame * FRAME;
      change(`${file}-wal`, (bytes) => void flip(bytes, at + 24 + random(PAGE), random));
      const { to, salvaged } = await salvage(file);
      expect(salvaged).toMatchObject({ complete: false, sums: "lower bounds" });
      expect(salvaged.lost.walFrames).toBeGreaterThan(0);
      await holds(to, salvaged, live.truth, `frame ${frame}`);
      // Where only a frame's own checksum is harmed, every page is there.
      const header = copyOf(killed);
      change(`${header}-wal`, (bytes) => void flip(bytes, at + 16, random));
      const whole = await salvage(header);
      expect(await sumsIn(whole.to, driver), `frame ${frame}`).toEqual(live.truth);
    }
  });

  test("of a WAL whose header is damaged: all of it", async () => {
    const file = copyOf(killed);
    change(`${file}-wal`, (bytes) => void flip(bytes, 20, randomBy(1)));
    const { to, salvaged } = await salvage(file);
    expect(salvaged.lost.walFrames).toBe(0);
    expect(await sumsIn(to, driver)).toEqual(live.truth);
  });

  test("a session whose past is lost is not counted twice, and the past is what history proves", async () => {
    const all = new Set<string>();
    for (let page = 1; page < pagesIn(closed); page += 3) {
      const file = copyOf(closed);
      change(file, (bytes) => bytes.fill(0xa5, page * PAGE, (page + 1) * PAGE));
      const { to, salvaged } = await salvage(file);
      all.add(`${salvaged.sums}, ${salvaged.history}`);
      // The host goes on with it: what was open is folded already, once.
      const stats = await openAt(to, driver);
      const more: Truth = new Map(await sumsIn(to, driver));
      count(stats, more, randomBy(page), 3);
      await stats.close();
      expect(await sumsIn(to, driver)).toEqual(more);
    }
    expect([...all]).toEqual(expect.arrayContaining(["lower bounds, exact", "lower bounds, lower bounds"]));
  });

  test("who was deleted is in no page of it", async () => {
    const holdsDeleted = (file: string) => decryptedPages(file, KEY).filter((page) => page.includes(DELETED)).length;
    const { file, stats } = await made(driver, 13);
    stats.addUser(DELETED);
    stats.server(smp, DELETED, `smp://${DELETED}-again.example`).add("sent", 7);
    await stats.flush();
    expect(holdsDeleted((await salvage(copyOf(file))).to), "control: it is found before").toBeGreaterThan(0);
    await stats.deleteUser(DELETED);
    expect(holdsDeleted((await salvage(copyOf(file))).to)).toBe(0);
    await stats.close();
  });

  test("who was deleted stays deleted, though the save that says so comes after one that cannot be read", async () => {
    const { file, stats } = await made(driver, 14);
    const { open, beforeKey } = loadDriver(driver);
    const reader = open(file);
    reader.exec(`${beforeKey}; PRAGMA key = "x'${KEY}'"; BEGIN`);
    reader.prepare("SELECT COUNT(*) AS n FROM agent_stats_key").get([]);
    const before = readFileSync(`${file}-wal`).length;
    expect(await stats.deleteUser("user-1")).toEqual({ erased: "pending" });
    const copy = copyOf(file, ["", "-wal"]);
    change(`${copy}-wal`, (bytes) => void flip(bytes, before - 100, randomBy(1)));
    reader.close();
    await stats.close();

    const { to, salvaged } = await salvage(copy);
    expect(salvaged.lost.walFrames).toBeGreaterThan(0);
    const users = async (of: string) => new Set([...(await sumsIn(of, driver)).keys()].map((id) => JSON.parse(id)[0]));
    expect([...(await users(to))].sort()).toEqual(["user-0", "user-2"]);
    expect([...(await users(copy))], "control: SQLite itself brings the user back").toContain("user-1");
  });

  test("never overwrites what is at the new path", async () => {
    const to = newFile();
    writeFileSync(to, "mine");
    const options = { from: closed, to, key: KEY, driver, thread: "same" } as const;
    await expect(salvageFile(options)).rejects.toMatchObject({ code: "STATS_FILE_EXISTS" });
    expect(readFileSync(to, "utf8")).toBe("mine");
    await expect(salvageFile({ ...options, to: closed })).rejects.toMatchObject({ code: "STATS_FILE_EXISTS" });
    const nowhere = join(temporaryFolder(), "none", "salvaged.db");
    await expect(salvageFile({ ...options, to: nowhere })).rejects.toMatchObject({ code: "STATS_FOLDER_MISSING" });
  });

  test("leaves nothing where it cannot", async () => {
    const to = newFile();
    const options = { from: closed, to, key: "a5".repeat(32), driver, thread: "same" } as const;
    await expect(salvageFile(options)).rejects.toMatchObject({ code: "STATS_KEY_REJECTED" });
    const newer = copyOf(closed);
    runSql({ file: newer, driver }, KEY, "UPDATE agent_stats_meta SET value = 999 WHERE name = 'schema_version'");
    await expect(salvageFile({ ...options, from: newer, key: KEY })).rejects.toMatchObject({
      code: "STATS_NEWER_SCHEMA",
    });
    const first = copyOf(closed);
    change(first, (bytes) => bytes.fill(0xa5, PAGE));
    await expect(salvageFile({ ...options, from: first, key: KEY })).rejects.toMatchObject({ code: "STATS_DAMAGED" });
    expect(bytesIn(dirname(to))).toEqual({});
    expect(existsSync(to)).toBe(false);
  });
});

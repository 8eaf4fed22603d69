import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { verifyFile as verifyInWorker } from "agent-stats/sqlcipher";
import { beforeAll, expect, test, vi } from "vitest";
import { runSql } from "../bad-input.testing.ts";
import { DRIVER_NAMES, whyNot } from "../drivers.ts";
import { bytesIn, describeDrivers, KEY, temporaryFolder } from "../files.testing.ts";
import { verifyFile } from "../store.ts";
import {
  change,
  copyOf,
  count,
  FRAME,
  flip,
  HARMS,
  type Made,
  made,
  openAt,
  pagesIn,
  randomBy,
  WAL_HEADER,
} from "./damage.testing.ts";

const PAGE = 4_096;
const SEEDS = 5;

describeDrivers("verify", (driver) => {
  // Many files each: a busy machine is no reason to fail.
  vi.setConfig({ testTimeout: 120_000 });

  const verify = (file: string, key: Parameters<typeof verifyFile>[0]["key"] = KEY) =>
    verifyFile({ file, key, driver, thread: "same" });
  const codesIn = async (file: string) => (await verify(file)).findings.map(({ code }) => code);
  let live: Made;
  /** Closed well, and left by a kill. */
  let closed: string;
  let killed: string;
  beforeAll(async () => {
    live = await made(driver, 1);
    killed = copyOf(live.file);
    const other = await made(driver, 2);
    await other.stats.close();
    closed = other.file;
  });

  test("finds nothing in a file that is as it was written, and changes not a byte", async () => {
    for (const file of [closed, killed, live.file]) {
      const before = bytesIn(dirname(file));
      expect(await verify(file)).toMatchObject({ ok: true, findings: [], schemaVersion: 2, sessions: 4 });
      expect(bytesIn(dirname(file))).toEqual(before);
    }
    expect((await verify(killed)).walFrames).toBeGreaterThan(3);
  });

  test("finds nothing in a file that is new, or whose WAL is new", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const stats = await openAt(file, driver);
    expect(await verify(file)).toMatchObject({ ok: true, sessions: 1, keys: 0 });
    await stats.close();
    expect(await verify(file)).toMatchObject({ ok: true, walFrames: 0 });
  });

  test("opens with a passphrase, and in a thread of its own", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const key = { passphrase: "it's a secret" };
    await (await openAt(file, driver, key)).close();
    expect(await verifyInWorker({ file, key, driver })).toMatchObject({ ok: true, sessions: 1 });
    await expect(verifyInWorker({ file, key: { passphrase: "another" }, driver })).rejects.toMatchObject({
      code: "STATS_KEY_REJECTED",
    });
  });

  test.skipIf(DRIVER_NAMES.some((name) => whyNot(name) !== null))("reads what another driver wrote", async () => {
    const other = DRIVER_NAMES.find((name) => name !== driver);
    expect(await verifyFile({ file: closed, key: KEY, driver: other as typeof driver, thread: "same" })).toMatchObject({
      ok: true,
    });
  });

  test("never calls a file damaged that others write to, move the WAL of, and rewrite", async () => {
    const { file, stats, truth } = await made(driver, 3);
    const random = randomBy(3);
    let isOver = false;
    const writing = (async () => {
      for (let i = 0; !isOver; i++) {
        count(stats, truth, random, 20);
        await stats.flush();
        if (i % 5 === 0) await stats.deleteUser("nobody");
        await wait(2);
      }
    })();
    for (let look = 0; look < 6; look++) {
      expect(await verifyInWorker({ file, key: KEY, driver })).toMatchObject({ ok: true, findings: [] });
    }
    isOver = true;
    await writing;
    await stats.close();
  });

  test("keeps the locks of this process: nobody else folds its session meanwhile", async () => {
    await verify(live.file);
    const other = await openAt(live.file, driver);
    expect((await other.getSessions()).map(({ how }) => how)).toEqual([
      "close",
      "close",
      "close",
      "running",
      "running",
    ]);
    await other.close();
  });

  test.each(Object.entries(HARMS))("finds %s, wherever it is", async (_, harm) => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const file = copyOf(closed);
      change(file, (bytes) => harm(bytes, randomBy(seed)));
      const { ok, findings } = await verify(file);
      expect([ok, findings.every(({ isCertain }) => isCertain)], `seed ${seed}`).toEqual([false, true]);
      for (const { sentence } of findings) expect(sentence).toMatch(/^[A-Z0-9][^\n]*[^.]\.$/);
    }
  });

  test("finds a change in any page, in any of its bytes; one that takes the salt looks like another key", async () => {
    const random = randomBy(7);
    for (let page = 0; page < pagesIn(closed); page += 1 + random(3)) {
      const file = copyOf(closed);
      change(file, (bytes) => void flip(bytes, page * PAGE + (page === 0 ? 16 : 0) + random(PAGE - 16), random));
      expect(await codesIn(file), `page ${page}`).toHaveLength(1);
    }
    const file = copyOf(closed);
    change(file, (bytes) => void flip(bytes, random(16), random));
    await expect(verify(file)).rejects.toMatchObject({ code: "STATS_KEY_REJECTED" });
  });

  test.each(["-shm", ""])("finds a change in any frame of the WAL, with its index and without (%s)", async (index) => {
    const random = randomBy(8);
    const frames = (readFileSync(`${killed}-wal`).length - WAL_HEADER) / FRAME;
    for (let frame = random(3); frame < frames; frame += 1 + random(5)) {
      const file = copyOf(killed, ["", "-wal", index]);
      change(`${file}-wal`, (bytes) => void flip(bytes, WAL_HEADER + frame * FRAME + random(FRAME), random));
      const { findings } = await verify(file);
      expect(findings, `frame ${frame}`).toHaveLength(1);
      expect(findings[0]?.code).toMatch(index === "" ? /^wal-(damaged|cut-off)$/ : /^wal-damaged$/);
      expect(findings[0]?.isCertain).toBe(findings[0]?.code === "wal-damaged");
    }
  });

  test("finds a damaged header of the WAL", async () => {
    for (let at = 0; at < WAL_HEADER; at += 3) {
      const file = copyOf(killed, ["", "-wal"]);
      change(`${file}-wal`, (bytes) => void flip(bytes, at, randomBy(at)));
      expect(await codesIn(file), `byte ${at}`).toHaveLength(1);
    }
  });

  test("a WAL that is missing or cut is found where its index was left; cut in a frame without one, it is a kill", async () => {
    const missing = copyOf(killed, ["", "-shm"]);
    expect(await verify(missing)).toMatchObject({ ok: false, findings: [{ code: "wal-missing", isCertain: false }] });
    const cut = copyOf(killed);
    change(`${cut}-wal`, (bytes) => bytes.subarray(0, bytes.length - FRAME));
    expect(await codesIn(cut)).toEqual(["wal-damaged"]);
    const torn = copyOf(killed, ["", "-wal"]);
    change(`${torn}-wal`, (bytes) => bytes.subarray(0, bytes.length - 100));
    expect(await codesIn(torn)).toEqual([]);
  });

  test("a WAL of another file is found", async () => {
    const file = copyOf(closed, [""]);
    writeFileSync(`${file}-wal`, readFileSync(`${killed}-wal`));
    expect(await codesIn(file)).not.toEqual([]);
  });

  test("an older version of a page, which authenticates, is found by what it contradicts", async () => {
    const { file, stats, truth } = await made(driver, 5);
    await stats.close();
    const older = readFileSync(copyOf(file));
    const later = await openAt(file, driver);
    count(later, truth, randomBy(6), 200);
    await later.close();
    let found = 0;
    const changed: number[] = [];
    for (let page = 1; page < older.length / PAGE; page++) {
      const copy = copyOf(file);
      const [from, to] = [page * PAGE, (page + 1) * PAGE];
      if (readFileSync(copy).subarray(from, to).equals(older.subarray(from, to))) continue;
      change(copy, (bytes) => void older.copy(bytes, from, from, to));
      changed.push(page);
      found += (await codesIn(copy)).length > 0 ? 1 : 0;
    }
    expect(found, `of ${changed.length}`).toBeGreaterThan(changed.length / 2);
  });

  test("a file that was emptied beside its WAL", async () => {
    const file = copyOf(killed, ["", "-wal"]);
    writeFileSync(file, "");
    // Without the first page, whose beginning is the salt, nobody can tell whose WAL it is.
    const outcome = await verify(file).then(
      ({ findings }) => findings[0]?.code,
      ({ code }) => code,
    );
    expect(["file-emptied", "STATS_KEY_REJECTED"]).toContain(outcome);
    rmSync(`${file}-wal`);
    await expect(verify(file)).rejects.toMatchObject({ code: "STATS_EMPTY_FILE" });
  });

  test.each([
    ["value-invalid", "UPDATE agent_stats_past SET value = -1 WHERE value = (SELECT MAX(value) FROM agent_stats_past)"],
    [
      "value-invalid",
      "UPDATE agent_stats_count SET value = 0.5 WHERE value = (SELECT MAX(value) FROM agent_stats_count)",
    ],
    ["key-unknown", "DELETE FROM agent_stats_key WHERE key_id = 1"],
    ["session-unknown", "DELETE FROM agent_stats_session WHERE session_id = 2"],
    ["session-contradictory", "UPDATE agent_stats_session SET last_saved = started - 1 WHERE session_id = 2"],
    ["session-contradictory", "UPDATE agent_stats_session SET how = NULL WHERE session_id = 1"],
    [
      "past-too-small",
      "UPDATE agent_stats_past SET value = value - 1 WHERE key_id = (SELECT MIN(key_id) FROM agent_stats_past)",
    ],
    ["meta-invalid", "DELETE FROM agent_stats_meta WHERE name = 'salt'"],
  ])("numbers that cannot be true of each other: %s", async (code, sql) => {
    const file = copyOf(closed);
    runSql({ file, driver }, KEY, sql);
    expect(await codesIn(file)).toContain(code);
  });

  test("says of what it cannot examine what opening says", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const rejects = (code: string) => expect(verify(file)).rejects.toMatchObject({ code });
    await rejects("STATS_MISSING");
    writeFileSync(file, "# Notes\n");
    await rejects("STATS_NOT_A_DATABASE");
    rmSync(file);
    runSql({ file, driver }, null, "CREATE TABLE mine (n)");
    await rejects("STATS_NOT_ENCRYPTED");
    const newer = copyOf(closed);
    runSql({ file: newer, driver }, KEY, "UPDATE agent_stats_meta SET value = 999 WHERE name = 'schema_version'");
    await expect(verify(newer)).rejects.toMatchObject({ code: "STATS_NEWER_SCHEMA" });
    await expect(verify(closed, "a5".repeat(32))).rejects.toMatchObject({ code: "STATS_KEY_REJECTED" });
    await expect(verify(dirname(closed))).rejects.toMatchObject({ code: "STATS_IS_A_FOLDER" });
    expect(existsSync(`${closed}-wal`)).toBe(false);
  });
});

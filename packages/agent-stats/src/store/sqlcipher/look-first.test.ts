import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openAgentStats } from "../../keep/open.ts";
import { readAgentStats } from "../../keep/read.ts";
import { defineProtocol } from "../../record/protocol.ts";
import type { StatsErrorCode } from "../errors.ts";
import type { SqliteHandle } from "../sqlite/handle.ts";
import { type DriverName, loadDriver } from "./drivers.ts";
import { bytesIn, describeDrivers, KEY, temporaryFolder } from "./files.testing.ts";
import { salvageFile, sqlcipherReader, sqlcipherStore, verifyFile } from "./store.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const SERVERS = 30;
const OTHER_KEY = "a5".repeat(32);
const PAGE = 4_096;

interface Moment {
  readonly file: string;
  readonly sent: number;
}

/** Three sessions, and after each save and each end what was on the disk then: the file, and its WAL if there was one. */
async function moments(driver: DriverName, key = KEY, servers = SERVERS): Promise<Moment[]> {
  const folder = temporaryFolder();
  const file = join(folder, "stats.db");
  const all: Moment[] = [];
  let sent = 0;
  const copy = () => {
    const to = join(folder, String(all.length));
    mkdirSync(to);
    const parts = [file, `${file}-wal`].filter((part) => existsSync(part));
    // By another process: closing the file here would free the locks that are held on it.
    execFileSync("cp", [...parts, to]);
    all.push({ file: join(to, "stats.db"), sent });
  };
  for (let session = 0; session < 3; session++) {
    const store = sqlcipherStore({ file, key, driver, thread: "same" });
    const stats = await openAgentStats({ protocols: [smp], store, flushEvery: 3_600_000 });
    for (let save = 0; save < 2; save++) {
      for (let i = 0; i < servers; i++)
        stats.server(smp, 1, `smp://${"x".repeat(60)}${(i * 7 + save) % (servers + 20)}`).add("sent");
      sent += servers;
      await stats.flush();
      copy();
    }
    await stats.close();
    copy();
  }
  return all;
}

const folderOf = (moment: Moment) => join(moment.file, "..");

function openRaw(driver: DriverName, { file }: Moment, key: string): SqliteHandle {
  const { open, beforeKey } = loadDriver(driver);
  const handle = open(file);
  handle.exec(`${beforeKey}; PRAGMA key = "x'${key}'"`);
  return handle;
}

/** Opens the file with SQLite alone, and reads what it can. */
function byItself(driver: DriverName, moment: Moment, key = KEY): void {
  const handle = openRaw(driver, moment, key);
  try {
    handle.prepare("SELECT SUM(value) FROM agent_stats_count").get([]);
  } catch {
    // It says so, and has yet to be closed.
  }
  handle.close();
}

async function read({ file }: Moment, driver: DriverName, key = KEY): Promise<number> {
  const view = readAgentStats({ store: sqlcipherReader({ file, key, driver, thread: "same" }) });
  try {
    const { servers } = await view.getServersStats();
    return servers.reduce((sum, { overall }) => sum + (overall.sent ?? 0), 0);
  } finally {
    await view.close();
  }
}

/** Neither a reader nor a writer is told any number, and not a byte changes. */
async function isRefused(moment: Moment, driver: DriverName, code: StatsErrorCode, key = KEY): Promise<void> {
  const before = bytesIn(folderOf(moment));
  await expect(read(moment, driver, key)).rejects.toMatchObject({ code });
  const store = sqlcipherStore({ file: moment.file, key, driver, thread: "same" });
  const stats = await openAgentStats({ protocols: [smp], store, onProblem: () => {} });
  stats.server(smp, 2, "smp://new").add("sent");
  await expect(stats.flush()).rejects.toMatchObject({ code });
  await expect(stats.deleteUser(1)).rejects.toMatchObject({ code });
  await expect(stats.close()).rejects.toMatchObject({ code });
  expect(bytesIn(folderOf(moment))).toEqual(before);
}

/** SQLite alone changes the file only by opening it. */
function control(moment: Moment, driver: DriverName, key = KEY): void {
  expect(isKeptByItself(moment, driver, key), "control: by itself SQLite keeps the bytes").toBe(false);
}

/** One driver writes back what it cannot even read; the other does not. */
function controlOfUnreadable(moment: Moment, driver: DriverName, key = KEY): void {
  expect(isKeptByItself(moment, driver, key)).toBe(driver !== "@signalapp/sqlcipher");
}

function isKeptByItself(moment: Moment, driver: DriverName, key: string): boolean {
  const before = readFileSync(moment.file);
  byItself(driver, moment, key);
  return readFileSync(moment.file).equals(before);
}

describeDrivers("a file is looked at before SQLite comes near it", (driver) => {
  const opened = (all: readonly Moment[]) => all.filter(({ file }) => existsSync(`${file}-wal`));
  const closed = (all: readonly Moment[]) => all.filter(({ file }) => !existsSync(`${file}-wal`));

  test("every moment of a good one is read as it was, and with a WAL beside it too", async () => {
    const all = await moments(driver);
    expect([opened(all).length, closed(all).length]).toEqual([6, 3]);
    for (const moment of all) expect(await read(moment, driver)).toBe(moment.sent);
  });

  test("an older WAL beside it: refused, not a byte is changed; SQLite alone lays it over the file", async () => {
    const all = await moments(driver);
    const [old] = opened(all) as [Moment];
    const last = all.at(-1) as Moment;
    copyFileSync(`${old.file}-wal`, `${last.file}-wal`);
    await isRefused(last, driver, "STATS_DAMAGED");
    const { ok, findings } = await verifyFile({ file: last.file, key: KEY, driver, thread: "same" });
    expect([ok, findings.map(({ code }) => code)]).toEqual([false, ["wal-of-another-moment"]]);
    const to = join(folderOf(last), "salvaged.db");
    const { sums, lost } = await salvageFile({ from: last.file, to, key: KEY, driver, thread: "same" });
    expect([sums, lost.walFrames > 0]).toEqual(["lower bounds", true]);
    // Whoever is not in the WAL can have been deleted, if that is the later one.
    const salvaged = await read({ file: to, sent: 0 }, driver);
    expect([salvaged > 0, salvaged <= last.sent]).toEqual([true, true]);
    control(last, driver);
    // What is left of both is no moment of either.
    await expect(read(last, driver).catch(() => null)).resolves.not.toBe(last.sent);
  });

  test("a newer WAL beside it: refused, not a byte is changed", async () => {
    const all = await moments(driver);
    const [first] = closed(all) as [Moment];
    const last = opened(all).at(-1) as Moment;
    copyFileSync(`${last.file}-wal`, `${first.file}-wal`);
    // The WAL of the second session follows upon the file of the first; that of the third does not.
    await isRefused(first, driver, "STATS_DAMAGED");
    control(first, driver);
  });

  test("the next WAL beside it is its own", async () => {
    const all = await moments(driver);
    const [first] = closed(all) as [Moment];
    const next = opened(all)[2] as Moment;
    copyFileSync(`${next.file}-wal`, `${first.file}-wal`);
    expect(await read(first, driver)).toBe(next.sent);
  });

  test("a WAL cut off that was moved into the file already: refused, as the file is further than it", async () => {
    const [moment] = opened(await moments(driver)) as [Moment];
    const wal = readFileSync(`${moment.file}-wal`);
    byItself(driver, moment);
    const ends = (n: number) => wal.subarray(0, 32 + n * (24 + PAGE));
    const frames = Math.floor((wal.length - 32) / (24 + PAGE));
    // As after a crash in the middle of moving it: whole, it changes nothing.
    writeFileSync(`${moment.file}-wal`, wal);
    expect(await read(moment, driver)).toBe(moment.sent);
    writeFileSync(`${moment.file}-wal`, ends(Math.floor(frames / 2)));
    await isRefused(moment, driver, "STATS_DAMAGED");
  });

  test("a WAL of another file beside it: refused, not a byte is changed; SQLite alone destroys the file", async () => {
    const [moment] = closed(await moments(driver)) as [Moment];
    const [stranger] = opened(await moments(driver, OTHER_KEY)) as [Moment];
    copyFileSync(`${stranger.file}-wal`, `${moment.file}-wal`);
    await isRefused(moment, driver, "STATS_DAMAGED");
    controlOfUnreadable(moment, driver);
    await expect(read(moment, driver)).rejects.toThrow();
  });

  test("with another key, not a byte is changed, not even what would be moved from the WAL", async () => {
    const [moment] = opened(await moments(driver)) as [Moment];
    await isRefused(moment, driver, "STATS_KEY_REJECTED", OTHER_KEY);
    expect(await read({ ...moment }, driver)).toBe(moment.sent);
    const [other] = opened(await moments(driver)) as [Moment];
    controlOfUnreadable(other, driver, OTHER_KEY);
  });

  test("a first page torn while the WAL was moved into the file: a writer takes it from the WAL, its salt too", async () => {
    // The file grows, and its first page says by how much.
    const moment = opened(await moments(driver, KEY, 400))[0] as Moment;
    const torn = readFileSync(moment.file);
    torn.fill(0x5a, 0, 512);
    writeFileSync(moment.file, torn);
    expect(await read(moment, driver)).toBe(moment.sent);
    const store = sqlcipherStore({ file: moment.file, key: KEY, driver, thread: "same" });
    const stats = await openAgentStats({ protocols: [smp], store, onProblem: () => {} });
    stats.server(smp, 2, "smp://new").add("sent");
    await stats.close();
    expect(existsSync(`${moment.file}-wal`)).toBe(false);
    expect(await read(moment, driver)).toBe(moment.sent + 1);
  });

  test("with any page damaged, a writer changes nothing, also where it would have met that page last", async () => {
    const all = await moments(driver);
    let refused = 0;
    for (const moment of [opened(all).at(-1), closed(all).at(-1)] as Moment[]) {
      const good = readFileSync(moment.file);
      for (let page = 0; page < good.length / PAGE; page++) {
        const bytes = Buffer.from(good);
        bytes.fill(page % 2 === 0 ? 0 : 7, page * PAGE, (page + 1) * PAGE);
        writeFileSync(moment.file, bytes);
        const before = bytesIn(folderOf(moment));
        const store = sqlcipherStore({ file: moment.file, key: KEY, driver, thread: "same" });
        const stats = await openAgentStats({ protocols: [smp], store, onProblem: () => {} });
        if (stats.problem === null) {
          // That page stands in the WAL: it is read from there.
          expect((await stats.getServersStats()).servers.reduce((sum, { past }) => sum + (past.sent ?? 0), 0)).toBe(
            moment.sent,
          );
          await stats.close();
          break;
        }
        refused += 1;
        await stats.close().catch(() => {});
        expect(bytesIn(folderOf(moment)), `page ${page + 1}`).toEqual(before);
      }
    }
    expect(refused).toBeGreaterThan(5);
  });
});

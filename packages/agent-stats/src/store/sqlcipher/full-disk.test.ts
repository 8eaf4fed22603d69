import { closeSync, mkdirSync, openSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type AgentStats, openAgentStats } from "../../keep/open.ts";
import { defineProtocol } from "../../record/protocol.ts";
import { inThisThread } from "../methods.ts";
import { SqliteCalls } from "../sqlite/calls.ts";
import type { StatsStore } from "../store.ts";
import { assertHelpful, type BadInput, holds, makeGood, type Place, placeFor, sentIn } from "./bad-input.testing.ts";
import { type DriverName, loadDriver } from "./drivers.ts";
import { openFile } from "./file.ts";
import { bytesIn, describeDrivers, KEY, PATIENCE, temporaryFolder } from "./files.testing.ts";
import { keyLiteral } from "./key.ts";
import { mountSmall, unmount } from "./mounts.testing.ts";
import { sqlcipherStore } from "./store.ts";

const smp = defineProtocol("smp", { sent: "messages sent" });
const SERVERS = 200;
const FULL = { code: "STATS_DISK_FULL", cause: { code: "SQLITE_FULL" } };

afterEach(unmount);

function diskAt(folder: string): void {
  mkdirSync(folder, { recursive: true });
  mountSmall(folder);
}

function whyNoDisk(): string | null {
  try {
    diskAt(join(temporaryFolder(), "disk"));
    return null;
  } catch {
    return "this user may not mount a small disk";
  } finally {
    unmount();
  }
}

const filler = (folder: string) => join(folder, "other");
const makeRoom = ({ file }: Pick<Place, "file">) => rmSync(filler(dirname(file)));

function fill(folder: string, butBytes = 0): void {
  const other = openSync(filler(folder), "w");
  try {
    for (;;) writeSync(other, Buffer.alloc(4_096));
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" });
  } finally {
    closeSync(other);
  }
  truncateSync(filler(folder), statSync(filler(folder)).size - butBytes);
}

const disk = (name: string, existing: boolean): BadInput => ({
  name,
  code: "STATS_DISK_FULL",
  says: /make room/,
  make: async (place) => {
    diskAt(dirname(place.file));
    if (existing) await makeGood(place);
    fill(dirname(place.file));
  },
  cure: makeRoom,
  before: existing ? 100 : 0,
  ...(existing ? {} : { toReader: "STATS_MISSING" as const }),
  // SQLite made them, without a byte of data, before it found no room.
  hostLeaves: /-(wal|shm)$/,
});

/** Opens a host that is told of problems, and counts so much that it needs more room than there is. */
async function open(store: StatsStore): Promise<{ stats: AgentStats; problems: (string | null)[]; count(): void }> {
  const problems: (string | null)[] = [];
  const onProblem = (problem: { code: string } | null) => problems.push(problem?.code ?? null);
  const stats = await openAgentStats({ protocols: [smp], store, flushEvery: 50, onProblem });
  const count = () => {
    for (let i = 0; i < SERVERS; i++) stats.server(smp, 1, `smp://${"x".repeat(500)}${i}`).add("sent");
  };
  return { stats, problems, count };
}

describeDrivers("a full disk", (driver) => {
  const reason = whyNoDisk();
  if (reason !== null) console.log(`skipped: a disk that is full: ${reason}`);
  describe.skipIf(reason !== null)("which is one", () => {
    test.each([disk("before the file is made", false), disk("before the file is opened", true)])("$name", (bad) =>
      holds(bad, placeFor(driver)),
    );

    test("while the file is open: what was saved stays, what was not is saved when there is room", async () => {
      const place = placeFor(driver);
      diskAt(dirname(place.file));
      const { file } = place;
      const { stats, problems, count } = await open(sqlcipherStore({ file, key: KEY, driver, thread: "same" }));
      stats.server(smp, 1, "smp://a").add("sent", 5);
      await stats.flush();
      fill(dirname(file));
      count();
      await expect(stats.flush()).rejects.toMatchObject(FULL);
      if (stats.problem) assertHelpful(stats.problem, { says: /make room/ }, place);
      expect(await sentIn(place)).toBe(5);
      await expect(stats.deleteUser(2)).rejects.toMatchObject(FULL);
      count();
      makeRoom(place);
      await expect.poll(() => problems, PATIENCE).toEqual(["STATS_DISK_FULL", null]);
      expect(await sentIn(place)).toBe(5 + 2 * SERVERS);
      await stats.close();
      expect(Object.keys(bytesIn(dirname(file)))).toEqual(["stats.db"]);
    });

    test("with too little room to rewrite the file: a deletion is done, and what it left is erased later", async () => {
      const place = placeFor(driver);
      diskAt(dirname(place.file));
      const store = () => sqlcipherStore({ file: place.file, key: KEY, driver, thread: "same" });
      const before = await open(store());
      before.count();
      before.stats.server(smp, 2, "smp://b").add("sent", 5);
      await before.stats.close();
      const { stats, problems } = await open(store());
      fill(dirname(place.file), 64 * 1_024);
      expect(await stats.deleteUser(2)).toEqual({ erased: "pending" });
      expect(await sentIn(place)).toBe(SERVERS);
      makeRoom(place);
      expect(await stats.deleteUser("another")).toEqual({ erased: "physically" });
      expect(problems).toEqual([]);
      await stats.close();
    });
  });

  test("as SQLite sees one: what was saved stays, what was not is saved when there is room", async () => {
    const file = join(temporaryFolder(), "stats.db");
    const { store, allow } = limited(file, driver);
    const { stats, problems, count } = await open(store);
    stats.server(smp, 1, "smp://a").add("sent", 5);
    await stats.flush();
    allow(20);
    count();
    await expect(stats.flush()).rejects.toMatchObject(FULL);
    expect(await sentIn({ file, driver })).toBe(5);
    count();
    allow(1_000_000);
    await expect.poll(() => problems, PATIENCE).toEqual(["STATS_DISK_FULL", null]);
    expect(await sentIn({ file, driver })).toBe(5 + 2 * SERVERS);
    await stats.close();
  });
});

/** A store whose file may have so many pages and no more. */
function limited(file: string, driver: DriverName): { store: StatsStore; allow(pages: number): void } {
  let exec = (_sql: string): unknown => expect.unreachable("it was not opened yet");
  const calls = new SqliteCalls(() => {
    const database = openFile(loadDriver(driver), { file, keyLiteral: keyLiteral(KEY), mode: "write" });
    exec = (sql) => database.handle.exec(sql);
    return database;
  });
  return { store: inThisThread(calls), allow: (pages) => void exec(`PRAGMA max_page_count = ${pages}`) };
}

import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../../keep/child.testing.ts";
import { openAgentStats } from "../../keep/open.ts";
import { defineProtocol } from "../../record/protocol.ts";
import { eachSum } from "../contract-support.ts";
import { inThisThread } from "../methods.ts";
import { SqliteCalls } from "../sqlite/calls.ts";
import { createSchema } from "../sqlite/schema.ts";
import type { StatsStore } from "../store.ts";
import { type DriverName, loadDriver } from "./drivers.ts";
import { openFile } from "./file.ts";
import { describeDrivers, KEY, PATIENCE, temporaryFolder } from "./files.testing.ts";
import { keyLiteral } from "./key.ts";
import { decryptedPages } from "./pages.testing.ts";
import { sqlcipherStore } from "./store.ts";

const smp = defineProtocol("smp", { sent: "messages sent", errors: { help: "messages refused", error: true } });
const xftp = defineProtocol("xftp", { sent: "files sent" });

/** Names that are found in no other data. */
const FORGOTTEN = { user: "user-forgotten", server: "smp://forgotten-" };
const KEPT = { user: "user-kept", server: "smp://remaining-" };
const SERVERS = 80;

const storeAt = (file: string, driver: DriverName) => sqlcipherStore({ file, key: KEY, driver, thread: "same" });
const openWith = (store: StatsStore, flushEvery = 50) => openAgentStats({ store, flushEvery, onProblem: () => {} });

/** Counts for both users in several sessions, so that their names stand in pages of all kinds, old and new. */
async function fill(store: () => StatsStore): Promise<void> {
  for (let session = 0; session < 3; session++) {
    const stats = await openWith(store());
    for (let i = 0; i < SERVERS; i++) {
      for (const { user, server } of [FORGOTTEN, KEPT]) {
        stats.server(i % 3 ? smp : xftp, user, `${server}${session}-${i}.example`).add("sent", i + 1);
      }
      if (i % 20 === 0) await stats.flush();
    }
    await stats.close();
  }
}

/** How often each of these texts stands in the decrypted pages. */
function found(file: string, ...texts: string[]): number[] {
  const pages = decryptedPages(file, KEY);
  return texts.map((text) => pages.filter((page) => page.includes(text)).length);
}

const NAMES = [FORGOTTEN.server, FORGOTTEN.user, KEPT.server] as const;

describeDrivers("forgetting", (driver) => {
  test("leaves nothing of the user in any page of any file, and the others as they were", async () => {
    const file = join(temporaryFolder(), "stats.db");
    await fill(() => storeAt(file, driver));
    const stats = await openWith(storeAt(file, driver));
    stats.server(smp, FORGOTTEN.user, `${FORGOTTEN.server}now.example`).add("errors", 3);
    await stats.flush();
    const before = (await stats.getServersStats()).servers.filter(({ userId }) => userId === KEPT.user);
    for (const times of found(file, ...NAMES)) expect(times, "control: they are found before").toBeGreaterThan(3);

    expect(await stats.deleteUser(FORGOTTEN.user)).toEqual({ erased: "physically" });

    const [server, user, kept] = found(file, ...NAMES);
    expect([server, user]).toEqual([0, 0]);
    expect(kept).toBeGreaterThan(3);
    expect((await stats.getServersStats()).servers).toEqual(before);
    await stats.close();
    expect(found(file, ...NAMES).slice(0, 2)).toEqual([0, 0]);
  });

  test("control: overwriting what is deleted is not enough; it takes the rewriting of the file", async () => {
    // In two or three of a hundred databases SQLite's secure_delete leaves names in pages that are in use: find one.
    let seed = 1;
    while ((await namesLeft(seed, driver, { rewriting: false })) === 0) seed += 1;
    expect(await namesLeft(seed, driver, { rewriting: true })).toBe(0);
  });

  test("a reset leaves nothing of the servers that it covers", async () => {
    const file = join(temporaryFolder(), "stats.db");
    await fill(() => storeAt(file, driver));
    const stats = await openWith(storeAt(file, driver));
    await stats.reset({ server: `${FORGOTTEN.server}1-7.example` });
    expect(found(file, `${FORGOTTEN.server}1-7.`)).toEqual([0]);
    expect(found(file, `${FORGOTTEN.server}1-8.`)[0], "control").toBeGreaterThan(0);
    await stats.reset();
    expect(found(file, ...NAMES)).toEqual([0, 0, 0]);
    await stats.close();
  });

  test("is pending while a reader holds the file, and is done by itself when it lets go", async () => {
    const file = join(temporaryFolder(), "stats.db");
    await fill(() => storeAt(file, driver));
    const reader = openRaw(file, driver);
    reader.exec("BEGIN");
    const rows = () => reader.prepare("SELECT COUNT(*) AS n FROM agent_stats_key").get([]);
    const seen = rows();
    const stats = await openWith(storeAt(file, driver));

    expect(await stats.deleteUser(FORGOTTEN.user)).toEqual({ erased: "pending" });
    expect(rows(), "the reader still reads what it began to read").toEqual(seen);
    expect(found(file, FORGOTTEN.server)[0], "control: so it cannot be erased yet").toBeGreaterThan(0);
    const { servers } = await stats.getServersStats();
    expect(servers.every(({ userId }) => userId === KEPT.user)).toBe(true);
    stats.server(smp, KEPT.user, "smp://later").add("sent");
    await stats.flush();
    expect(stats.problem, "counting and saving go on").toBeNull();

    reader.exec("COMMIT");
    await expect.poll(() => found(file, FORGOTTEN.server, FORGOTTEN.user), PATIENCE).toEqual([0, 0]);
    await stats.close();
    reader.close();
  });

  test("that is pending keeps no process from saving what it counted when it ends", async () => {
    const file = join(temporaryFolder(), "stats.db");
    await fill(() => storeAt(file, driver));
    const reader = openRaw(file, driver);
    reader.exec("BEGIN");
    reader.prepare("SELECT COUNT(*) AS n FROM agent_stats_key").get([]);
    const child = startChild(
      `const stats = await open({ flushEvery: 50 });
      count(stats, 300);
      const { erased } = await stats.deleteUser(${JSON.stringify(FORGOTTEN.user)});
      count(stats, 300);
      stats.flush();
      setTimeout(() => { count(stats, 300); process.exit(erased === "pending" ? 0 : 9); }, 20);`,
      file,
      driver,
    );
    expect(await child.ended).toMatchObject({ code: 0, stderr: "" });
    reader.close();
    const store = storeAt(file, driver);
    const sums = eachSum(await store.sums(null));
    await store.close();
    const sum = sums.reduce((all, { userId, past, open }) => all + (userId === "1" ? past + open : 0), 0);
    expect(sum).toBe(900);
  });

  test("that a crash left pending is done by the next start", async () => {
    const file = join(temporaryFolder(), "stats.db");
    await fill(() => storeAt(file, driver));
    const reader = openRaw(file, driver);
    reader.exec("BEGIN");
    reader.prepare("SELECT COUNT(*) AS n FROM agent_stats_key").get([]);
    const store = storeAt(file, driver);
    expect(await store.deleteUser(FORGOTTEN.user, "forget", { session: null, seen: 0, at: 1 })).toMatchObject({
      erased: "pending",
    });
    // What a process killed now would leave: the files as they are.
    const crashed = join(temporaryFolder(), "stats.db");
    for (const suffix of ["", "-wal"]) copyFileSync(file + suffix, crashed + suffix);
    expect(found(crashed, FORGOTTEN.server)[0]).toBeGreaterThan(0);
    reader.close();
    await store.close();

    const stats = await openWith(storeAt(crashed, driver));
    expect(found(crashed, FORGOTTEN.server, FORGOTTEN.user)).toEqual([0, 0]);
    expect((await stats.getServersStats()).servers.length).toBe(3 * SERVERS);
    await stats.close();
  });
});

describeDrivers("at rest", (driver) => {
  test("no name can be read in any byte of any file, at any time", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "stats.db");
    let looked = 0;
    const looking = (store: StatsStore): StatsStore => {
      const calls = Object.entries(store).map(([name, call]) => {
        if (typeof call !== "function") return [name, call];
        const looks = async (...args: unknown[]) => {
          const result = await (call as (...args: unknown[]) => Promise<unknown>)(...args);
          looked += 1;
          expect(namesIn(folder), `after ${name}`).toEqual([]);
          return result;
        };
        return [name, looks];
      });
      return Object.fromEntries(calls) as StatsStore;
    };
    await fill(() => looking(storeAt(file, driver)));
    const stats = await openWith(looking(storeAt(file, driver)));
    await stats.deleteUser(FORGOTTEN.user);
    await stats.close();
    expect(looked).toBeGreaterThan(30);
    expect(found(file, KEPT.server, "sent")[0], "control: for who has the key, they are there").toBeGreaterThan(0);
  });

  test("control: without encryption, all of them are found", async () => {
    const folder = mkdtempSync(join(temporaryFolder(), "plain-"));
    await fill(() => inThisThread(new SqliteCalls(() => plaintext(join(folder, "stats.db"), driver))));
    expect(namesIn(folder)).toEqual([FORGOTTEN.user, FORGOTTEN.server, KEPT.user, KEPT.server, "agent_stats", "sent"]);
  });
});

/** What can be read in a folder by who has no key. */
function namesIn(folder: string): string[] {
  const bytes = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path));
  const names = [FORGOTTEN.user, FORGOTTEN.server, KEPT.user, KEPT.server, "agent_stats", "sent"];
  return names.filter((name) => bytes.some((file) => file.includes(name)));
}

/** In how many pages names are left after a deletion, from a database filled at random by that seed. */
async function namesLeft(seed: number, driver: DriverName, { rewriting }: { rewriting: boolean }): Promise<number> {
  const file = join(temporaryFolder(), "stats.db");
  const open = () => {
    const database = openFile(loadDriver(driver), { file, keyLiteral: keyLiteral(KEY), mode: "write" });
    const { handle } = database;
    const exec = (sql: string) => (sql === "VACUUM" && !rewriting ? null : handle.exec(sql));
    return {
      ...database,
      handle: { exec, prepare: (sql: string) => handle.prepare(sql), close: () => handle.close() },
    };
  };
  const random = randomBy(seed);
  for (let session = 0; ; session++) {
    const stats = await openWith(inThisThread(new SqliteCalls(open)), 3_600_000);
    for (let i = 0; i < 60; i++) {
      for (const { user, server } of [FORGOTTEN, KEPT]) {
        const name = `${server}${session}-${random(1_000)}.${"x".repeat(random(120))}`;
        if (random(3) > 0) stats.server(smp, user, name).add("sent", 1 + random(100));
      }
      if (random(12) === 0) await stats.flush();
    }
    await stats.flush();
    if (session === 2) await stats.deleteUser(FORGOTTEN.user);
    const [left] = found(file, FORGOTTEN.server);
    await stats.close();
    if (session === 2) return left as number;
  }
}

/** Numbers below n that look random and are the same at every run. */
function randomBy(seed: number): (n: number) => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return (n) => {
    state = (state ^ (state << 13)) >>> 0;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state % n;
  };
}

function openRaw(file: string, driver: DriverName) {
  const { open, beforeKey } = loadDriver(driver);
  const handle = open(file);
  handle.exec(`${beforeKey}; PRAGMA key = "x'${KEY}'"`);
  return handle;
}

/** The same tables and the same SQL in a file without encryption. */
function plaintext(file: string, driver: DriverName) {
  const handle = loadDriver(driver).open(file);
  createSchema(handle, "main");
  const held = new Set<number>();
  return {
    handle,
    schema: "main",
    ownFile: true,
    locks: {
      take: (session: number) => held.add(session).has(session),
      isHeld: (session: number) => held.has(session),
      remove: (session: number) => void held.delete(session),
      removeAll: () => held.clear(),
    },
    assertInPlace: () => {},
    close: () => void handle.close(),
  };
}

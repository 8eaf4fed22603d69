/**
 * A process that deletes a user is killed at every step. After a restart the user is wholly there or wholly gone, and
 * never comes back once the deletion was acknowledged. AGENT_STATS_KILLS=200 kills each wiring so often.
 */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { type DriverName, loadDriver } from "../store/sqlcipher/drivers.ts";
import { describeDrivers, KEY, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { decryptedPages } from "../store/sqlcipher/pages.testing.ts";
import { sqlcipherStore } from "../store/sqlcipher/store.ts";
import { sqliteStore } from "../store/sqlite/store.ts";
import type { StatsStore } from "../store/store.ts";
import { GONE, type Kill, killsFor, type Outcome, type Program, runProgram, STAYS } from "./deletion-kills.testing.ts";
import { type AgentStats, openAgentStats } from "./open.ts";

const KILLS = Number(process.env.AGENT_STATS_KILLS ?? 10);
/** So many processes run at once. */
const AT_ONCE = 3;
const SERVERS = 30;
const smp = defineProtocol("smp", { sent: "messages sent", errors: { help: "messages refused", error: true } });

/** What a database holds of a user: every sum, and every hour of history. */
type Held = Readonly<Record<string, number>>;

async function heldOf(user: string, store: StatsStore): Promise<Held> {
  const { keys, sums } = await store.sums(null);
  const held: Record<string, number> = {};
  for (const { key, userId, server } of keys) {
    if (userId !== user) continue;
    held[`key ${server}`] = 1;
    for (const sum of sums) if (sum.key === key) held[`${server} ${sum.counter}`] = sum.past + sum.open;
  }
  for (const { userId, server, value } of await store.hours(0, 1e9)) {
    if (userId === user) held[`hours ${server}`] = (held[`hours ${server}`] ?? 0) + value;
  }
  return held;
}

interface Wiring {
  readonly program: Program;
  /** A store on the file, as whoever starts next has one; closing it closes its handle too. */
  readonly store: (file: string, driver: DriverName) => StatsStore & { hasRecord?(): boolean };
}

const ownFile = (file: string, driver: DriverName) => sqlcipherStore({ file, key: KEY, driver, thread: "same" });

/** The host's database, opened by the next start of the host. */
function hostsFile(file: string, driver: DriverName) {
  const { open, beforeKey } = loadDriver(driver);
  const handle = open(file);
  handle.exec(`${beforeKey}; PRAGMA key = "x'${KEY}'"; PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000`);
  const store = sqliteStore(handle);
  return {
    ...store,
    handle,
    hasRecord: () => handle.prepare("SELECT 1 FROM users WHERE user_id = ?").get([`${GONE}-user`]) !== undefined,
    async close() {
      await store.close();
      handle.close();
    },
  };
}

async function fill(store: StatsStore): Promise<AgentStats> {
  const stats = await openAgentStats({ protocols: [smp], store, flushEvery: 60_000 });
  for (let i = 0; i < SERVERS; i++) {
    for (const user of [GONE, STAYS]) stats.server(smp, `${user}-user`, `smp://${user}-${i}`).add("sent", i + 1);
  }
  await stats.flush();
  return stats;
}

/** A file with two users, counted in two sessions of which one is folded. */
async function template({ store, program }: Wiring, driver: DriverName): Promise<string> {
  const file = join(temporaryFolder(), "template.db");
  if (store === hostsFile) {
    const { handle, ...host } = hostsFile(file, driver);
    handle.exec(`CREATE TABLE users (user_id TEXT PRIMARY KEY);
      INSERT INTO users VALUES ('${GONE}-user'), ('${STAYS}-user')`);
    if (program === "trigger") host.installUserTrigger({ table: "users", column: "user_id" });
    await host.close();
  }
  for (let session = 0; session < 2; session++) await (await fill(store(file, driver))).close();
  return file;
}

/** How many pages name a server of that user. The user's own id stays until every session has heard of the deletion. */
const pagesThatName = (user: string, file: string) =>
  decryptedPages(file, KEY).filter((page) => page.includes(`smp://${user}-`)).length;

/** Checks one file after a death: the user is there or gone as a whole, here and after two restarts. */
async function judge(
  wiring: Wiring,
  driver: DriverName,
  file: string,
  whole: Held,
  outcome: Outcome,
): Promise<"whole" | "gone"> {
  if (outcome.erased === "physically") expect(pagesThatName(GONE, file), "pages that name the user").toBe(0);
  const look = async () => {
    const store = wiring.store(file, driver);
    const held = await heldOf(`${GONE}-user`, store);
    const [hasRecord, stays] = [store.hasRecord?.(), await heldOf(`${STAYS}-user`, store)];
    await store.close();
    expect(Object.keys(stays).length, "the other user stays").toBeGreaterThanOrEqual(3 * SERVERS);
    const state = Object.keys(held).length === 0 ? "gone" : "whole";
    if (state === "whole") expect(held).toEqual(whole);
    if (outcome.erased !== null) expect(state, "after it was acknowledged").toBe("gone");
    if (hasRecord !== undefined) expect(hasRecord, "the host's own record").toBe(state === "whole");
    return state;
  };
  const state = await look();
  for (let restart = 0; restart < 2; restart++) {
    const stats = await openAgentStats({ protocols: [smp], store: wiring.store(file, driver), flushEvery: 60_000 });
    expect(stats.problem).toBeNull();
    await stats.close();
    expect(await look(), "after a restart").toBe(state);
  }
  if (wiring.store === ownFile && state === "gone") {
    expect(pagesThatName(GONE, file), "what a crash left is erased by the next start").toBe(0);
    expect(pagesThatName(STAYS, file), "control").toBeGreaterThan(0);
  }
  return state;
}

async function inParallel<T>(jobs: readonly T[], run: (job: T) => Promise<void>): Promise<void> {
  const rest = [...jobs];
  const work = async () => {
    for (let job = rest.shift(); job !== undefined; job = rest.shift()) await run(job);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const MINUTES = 60_000;
const WIRINGS: readonly [name: string, wiring: Wiring][] = [
  ["in the keeper's own file", { program: "in-process", store: ownFile }],
  ["in a transaction of the host's", { program: "host's transaction", store: hostsFile }],
  ["by a trigger of the host's", { program: "trigger", store: hostsFile }],
];

describeDrivers("a deletion that is killed", (driver) => {
  test.each(WIRINGS)("%s", { timeout: 20 * MINUTES }, async (name, wiring) => {
    const before = await template(wiring, driver);
    expect(pagesThatName(GONE, before), "control: the pages name the user").toBeGreaterThan(0);
    const whole = await wholeOf(wiring, driver, before);
    const free = await runProgram(wiring.program, copied(before), driver, null);
    expect(free.erased).not.toBeNull();
    await killEach(`${name}, ${driver}`, free, async (kill) => {
      const file = copied(before);
      const outcome = await runProgram(wiring.program, file, driver, kill);
      return [outcome, await judge(wiring, driver, file, whole, outcome)];
    });
  });

  const OWN: Wiring = { program: "in-process", store: ownFile };

  test("while another process counts for that user", { timeout: 20 * MINUTES }, async () => {
    const before = await template(OWN, driver);
    const whole = await wholeOf(OWN, driver, before);
    const free = await runProgram("in-process", copied(before), driver, null);
    await killEach(`while another process counts, ${driver}`, free, async (kill) => {
      const file = copied(before);
      const other = await openAgentStats({ protocols: [smp], store: ownFile(file, driver), flushEvery: 60_000 });
      const handles = [GONE, STAYS].map((user) => other.server(smp, `${user}-user`, `smp://${user}-other`));
      const program = running(runProgram("in-process", file, driver, kill));
      let counted = 0;
      const count = async () => {
        counted += 1;
        for (const handle of handles) handle.add("sent");
        other.server(smp, `${GONE}-user`, `smp://${GONE}-late`).add("sent");
        await other.flush();
      };
      while (program.isRunning()) {
        await count();
        await turn();
      }
      const outcome = await program.outcome;
      for (let i = 0; i < 3; i++) await count();
      const sees = (await other.getServersStats()).servers.some(({ userId }) => userId === `${GONE}-user`);
      if (outcome.erased === "physically") expect(pagesThatName(GONE, file)).toBe(0);
      await other.close();
      const others = ["other", "late"].flatMap((name) => {
        const server = `smp://${GONE}-${name}`;
        return [
          [`key ${server}`, 1] as const,
          [`${server} sent`, counted] as const,
          [`hours ${server}`, counted] as const,
        ];
      });
      const state = await judge(OWN, driver, file, { ...whole, ...Object.fromEntries(others) }, outcome);
      expect(sees, "what the other process shows").toBe(state === "whole");
      return [outcome, state];
    });
  });

  test("in another process that counts for that user: it is gone all the same", { timeout: 20 * MINUTES }, async () => {
    const before = await template(OWN, driver);
    const patience = 100;
    const free = await runProgram("counting", copied(before), driver, null, { patience });
    const all = { statements: Math.min(free.all.statements, 200), tookMs: Math.min(free.all.tookMs, 100) };
    const kills = killsFor({ ...free, deletion: all, all }, KILLS);
    const seen = { killed: 0, gone: 0 };
    await inParallel(kills, async (kill) => {
      const file = copied(before);
      const deleter = await openAgentStats({ protocols: [smp], store: ownFile(file, driver), flushEvery: 60_000 });
      let deletion: Promise<{ erased: string }> | null = null;
      const onBegun = () => {
        deletion = deleter.deleteUser(`${GONE}-user`);
      };
      const { killed } = await runProgram("counting", file, driver, kill, { onBegun, patience });
      const { erased } = await (deletion as unknown as Promise<{ erased: string }>);
      expect(await deleter.getServersStats().then(({ servers }) => servers.map(({ userId }) => userId))).not.toContain(
        `${GONE}-user`,
      );
      await deleter.flush();
      await deleter.close();
      const outcome: Outcome = { ...free, killed, erased };
      expect(await judge(OWN, driver, file, {}, outcome)).toBe("gone");
      seen.gone += 1;
      if (killed) seen.killed += 1;
    });
    console.log(`kills of another process that counts, ${driver}: ${JSON.stringify(seen)}`);
    expect(seen.killed).toBeGreaterThan(0);
  });

  test("control: one that is no transaction is found half done", { timeout: 20 * MINUTES }, async () => {
    const host: Wiring = { program: "without a transaction", store: hostsFile };
    const before = await template(host, driver);
    const whole = await wholeOf({ ...host, program: "in-process" }, driver, before);
    const free = await runProgram("without a transaction", copied(before), driver, null);
    expect(free.all.statements).toBe(3);
    const states: boolean[] = [];
    for (let statement = 1; statement <= free.all.statements; statement++) {
      const file = copied(before);
      const outcome = await runProgram("without a transaction", file, driver, { statement, when: "after" });
      states.push(
        await judge(host, driver, file, whole, outcome).then(
          () => true,
          () => false,
        ),
      );
    }
    expect(states).toContain(false);
  });
});

/** Kills at every point, and says what became of it; every kind of end must be among them. */
async function killEach(
  name: string,
  free: Outcome,
  run: (kill: Kill) => Promise<readonly [Outcome, "whole" | "gone"]>,
): Promise<void> {
  const seen = { whole: 0, gone: 0, acknowledged: 0, killed: 0 };
  await inParallel(killsFor(free, KILLS), async (kill) => {
    const [outcome, state] = await run(kill).catch((error: unknown) => {
      throw Object.assign(error as Error, { message: `${JSON.stringify(kill)}: ${(error as Error).message}` });
    });
    seen[state] += 1;
    if (outcome.killed) seen.killed += 1;
    if (outcome.erased !== null) seen.acknowledged += 1;
  });
  console.log(`kills ${name}: of ${free.all.statements} statements, ${JSON.stringify(seen)}`);
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0);
}

function running<T>(outcome: Promise<T>): { readonly outcome: Promise<T>; isRunning(): boolean } {
  let runs = true;
  const done = () => {
    runs = false;
  };
  outcome.then(done, done);
  return { outcome, isRunning: () => runs };
}

/** What is there of the user once a program has counted its own share, and nothing was deleted. */
async function wholeOf(wiring: Wiring, driver: DriverName, before: string): Promise<Held> {
  const file = copied(before);
  const store = wiring.store(file, driver);
  const stats = await openAgentStats({ protocols: [smp], store, flushEvery: 60_000 });
  for (let i = 0; i < 3; i++) stats.server(smp, `${GONE}-user`, `smp://${GONE}-${i}`).add("sent");
  await stats.close();
  const again = wiring.store(file, driver);
  const held = await heldOf(`${GONE}-user`, again);
  await again.close();
  expect(Object.keys(held)).toHaveLength(3 * SERVERS);
  return held;
}

function copied(before: string): string {
  const file = join(temporaryFolder(), "stats.db");
  copyFileSync(before, file);
  return file;
}

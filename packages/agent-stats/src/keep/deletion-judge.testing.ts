/** For tests of a user's deletion that is killed: what it left, judged after the death and after restarts. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { defineProtocol } from "../record/protocol.ts";
import { eachHour, eachSum } from "../store/contract-support.ts";
import { type DriverName, loadDriver } from "../store/sqlcipher/drivers.ts";
import { KEY, temporaryFolder } from "../store/sqlcipher/files.testing.ts";
import { decryptedPages } from "../store/sqlcipher/pages.testing.ts";
import { sqlcipherStore } from "../store/sqlcipher/store.ts";
import { sqliteStore } from "../store/sqlite/store.ts";
import type { StatsStore } from "../store/store.ts";
import { GONE, type Outcome, type Program, STAYS } from "./deletion-kills.testing.ts";
import { type AgentStats, openAgentStats } from "./open.ts";

export type State = "whole" | "gone";

const SERVERS = 30;
export const smp = defineProtocol("smp", { sent: "messages sent", errors: { help: "messages refused", error: true } });

/** What a database holds of a user: every sum, and every hour of history. */
type Held = Readonly<Record<string, number>>;

async function heldOf(user: string, store: StatsStore): Promise<Held> {
  const sums = await store.sums(null);
  const held: Record<string, number> = {};
  for (const { userId, server } of sums.keys) if (userId === user) held[`key ${server}`] = 1;
  for (const { userId, server, counter, past, open } of eachSum(sums)) {
    if (userId === user) held[`${server} ${counter}`] = past + open;
  }
  for (const { userId, server, value } of eachHour(await store.hours(0, 1e9))) {
    if (userId === user) held[`hours ${server}`] = (held[`hours ${server}`] ?? 0) + value;
  }
  return held;
}

export interface Wiring {
  readonly program: Program;
  /** A store on the file, as whoever starts next has one; closing it closes its handle too. */
  readonly store: (file: string, driver: DriverName) => StatsStore & { hasRecord?(): boolean };
}

export const ownFile = (file: string, driver: DriverName) => sqlcipherStore({ file, key: KEY, driver, thread: "same" });

/** The host's database, opened by the next start of the host. */
export function hostsFile(file: string, driver: DriverName) {
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
export async function template({ store, program }: Wiring, driver: DriverName): Promise<string> {
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
export const pagesThatName = (user: string, file: string) =>
  decryptedPages(file, KEY).filter((page) => page.includes(`smp://${user}-`)).length;

/** Checks one file after a death: the user is there or gone as a whole, here and after two restarts. */
export async function judge(
  wiring: Wiring,
  driver: DriverName,
  file: string,
  whole: Held,
  outcome: Outcome,
): Promise<State> {
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

/** What is there of the user once a program has counted its own share, and nothing was deleted. */
export async function wholeOf(wiring: Wiring, driver: DriverName, before: string): Promise<Held> {
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

export function copied(before: string): string {
  const file = join(temporaryFolder(), "stats.db");
  copyFileSync(before, file);
  return file;
}

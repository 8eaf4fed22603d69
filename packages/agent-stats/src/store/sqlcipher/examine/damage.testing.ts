/** For tests of damage: databases with all kinds of rows, what is true of them, and ways to harm them. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentStats, openAgentStats } from "../../../keep/open.ts";
import { defineProtocol } from "../../../record/protocol.ts";
import { eachHour, eachSum } from "../../contract-support.ts";
import type { DriverName } from "../drivers.ts";
import { KEY, temporaryFolder } from "../files.testing.ts";
import type { StatsKey } from "../key.ts";
import { sqlcipherReader, sqlcipherStore } from "../store.ts";

const PAGE = 4_096;
export const FRAME = 24 + PAGE;
export const WAL_HEADER = 32;
export const smp = defineProtocol("smp", { sent: "messages sent", received: "messages received" });
export const DELETED = "user-deleted";
const PARTS = ["", "-wal", "-shm"] as const;

export const openAt = (file: string, driver: DriverName, key: StatsKey = KEY) =>
  openAgentStats({
    protocols: [smp],
    store: sqlcipherStore({ file, key, driver, thread: "same" }),
    flushEvery: 3_600_000,
    onProblem: () => {},
  });

/** What was counted, as who counted it knows it: by user, server and counter. */
export type Truth = Map<string, number>;

export function count(stats: AgentStats, truth: Truth, random: (n: number) => number, times: number): void {
  for (let i = 0; i < times; i++) {
    const user = `user-${random(3)}`;
    // One name is longer than a page.
    const server = `smp://${"x".repeat(random(40) === 0 ? 9_000 : 150)}${random(40)}.example`;
    const counter = random(2) === 0 ? "sent" : "received";
    const n = 1 + random(100_000);
    stats.server(smp, user, server).add(counter, n);
    const id = JSON.stringify([user, server, counter]);
    truth.set(id, (truth.get(id) ?? 0) + n);
  }
}

export interface Made {
  readonly file: string;
  readonly truth: Truth;
  /** What of it is in the WAL's last commits is not in the file yet. */
  readonly stats: AgentStats;
}

/** A database of several sessions, folded and not, and a deletion; the last session is open, its saves in the WAL. */
export async function made(driver: DriverName, seed: number, key = KEY): Promise<Made> {
  const file = join(temporaryFolder(), "stats.db");
  const random = randomBy(seed);
  const truth: Truth = new Map();
  for (let session = 0; session < 3; session++) {
    const stats = await openAt(file, driver, key);
    count(stats, truth, random, 60);
    stats.server(smp, DELETED, `smp://${DELETED}-${session}.example`).add("sent", 5);
    await stats.close();
  }
  const stats = await openAt(file, driver, key);
  await stats.deleteUser(DELETED);
  for (let save = 0; save < 3; save++) {
    count(stats, truth, random, 15);
    await stats.flush();
  }
  return { file, truth, stats };
}

/** What a process that is killed now would leave: the files as they are, under another name. */
export function copyOf(file: string, parts: readonly string[] = PARTS): string {
  const copy = join(temporaryFolder(), "stats.db");
  for (const part of parts) if (existsSync(file + part)) copyFileSync(file + part, copy + part);
  return copy;
}

/** All sums that a file holds, as a reader finds them. */
export async function sumsIn(file: string, driver: DriverName, key = KEY): Promise<Truth> {
  const store = sqlcipherReader({ file, key, driver, thread: "same" });
  try {
    const sums = eachSum(await store.sums(null));
    return new Map(
      sums.map(({ userId, server, counter, past, open }) => [JSON.stringify([userId, server, counter]), past + open]),
    );
  } finally {
    await store.close();
  }
}

/** All that was counted by hour, added up. */
export async function historyIn(file: string, driver: DriverName): Promise<Truth> {
  const store = sqlcipherReader({ file, key: KEY, driver, thread: "same" });
  try {
    const sums: Truth = new Map();
    for (const { userId, server, counter, value } of eachHour(await store.hours(0, 10_000_000))) {
      const id = JSON.stringify([userId, server, counter]);
      sums.set(id, (sums.get(id) ?? 0) + value);
    }
    return sums;
  } finally {
    await store.close();
  }
}

export function change(file: string, how: (bytes: Buffer) => Buffer | undefined): void {
  const bytes = readFileSync(file);
  writeFileSync(file, how(bytes) ?? bytes);
}

export function flip(bytes: Buffer, at: number, random: (n: number) => number): void {
  bytes[at] = (bytes[at] as number) ^ (1 << random(8));
}

export const pagesIn = (file: string) => readFileSync(file).length / PAGE;

/** A way to harm a file of whole pages. Each harms at least one page. */
export const HARMS: Readonly<Record<string, (bytes: Buffer, random: (n: number) => number) => Buffer>> = {
  flips(bytes, random) {
    for (let n = 1 + random(4); n > 0; n--) flip(bytes, 16 + random(bytes.length - 16), random);
    return bytes;
  },
  zeroes: (bytes, random) => bytes.fill(0, (1 + random(bytes.length / PAGE - 1)) * PAGE).subarray(0, bytes.length),
  "a zeroed page"(bytes, random) {
    const page = 1 + random(bytes.length / PAGE - 1);
    return bytes.fill(0, page * PAGE, (page + 1) * PAGE);
  },
  garbage(bytes, random) {
    const page = random(bytes.length / PAGE);
    for (let at = page * PAGE + 16; at < (page + 1) * PAGE; at++) bytes[at] = random(256);
    return bytes;
  },
  "swapped pages"(bytes, random) {
    const pages = bytes.length / PAGE;
    const one = 1 + random(pages - 1);
    const other = 1 + ((one + random(pages - 2)) % (pages - 1));
    const kept = Buffer.from(bytes.subarray(one * PAGE, (one + 1) * PAGE));
    bytes.copyWithin(one * PAGE, other * PAGE, (other + 1) * PAGE);
    kept.copy(bytes, other * PAGE);
    return bytes;
  },
  "a cut": (bytes, random) => bytes.subarray(0, PAGE + random(bytes.length - PAGE)),
};

/** Numbers below n that look random and are the same at every run. */
export function randomBy(seed: number): (n: number) => number {
  let state = Math.imul(seed + 1, 2_654_435_761) >>> 0 || 1;
  return (n) => {
    state = (state ^ (state << 13)) >>> 0;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state % n;
  };
}

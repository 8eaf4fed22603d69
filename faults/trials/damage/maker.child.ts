/**
 * Makes files that are as they should be: counts, saves, deletes and resets through several sessions, and again and
 * again copies the file and its WAL aside, together with what was acknowledged until then.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentStats, openAgentStats, type StatsStore } from "agent-stats";
import { type DriverName, sqlcipherStore } from "agent-stats/sqlcipher";
import { sqliteStore } from "agent-stats/sqlite";
import { LEDGERS } from "../../oracle/canary.ts";
import { COUNTERS, KEY, protocol, serverOf, userOf } from "../../oracle/names.ts";
import { openPlain } from "../../oracle/raw-file.ts";
import type { Entry } from "../../oracle/story.ts";
import { type Random, randomOf } from "../../random.ts";

export interface MakerOrder {
  readonly folder: string;
  readonly seed: number;
  readonly driver: DriverName;
  /** A file without encryption, for the control. */
  readonly plain: boolean;
}

/** What was told when a copy was made: the story's first so many entries. */
export interface Told {
  readonly story: readonly Entry[];
  readonly copies: readonly { readonly name: string; readonly entries: number }[];
}

const FILE = "stats.db";
const USERS = 4;
const COPIES_A_SESSION = 2;

async function make({ folder, seed, driver, plain }: MakerOrder): Promise<void> {
  const random = randomOf(seed);
  const file = join(folder, FILE);
  const story: Entry[] = [];
  const copies: { name: string; entries: number }[] = [];
  const servers = random.pick([2, 8, 40]);
  const copy = () => {
    const name = `copy-${copies.length}`;
    mkdirSync(join(folder, name));
    // By another process: a second descriptor of the file would free this one's locks when it is closed.
    const files = [file, `${file}-wal`].filter((path) => existsSync(path));
    execFileSync("cp", [...files, join(folder, name)]);
    copies.push({ name, entries: story.length });
  };
  const sessions = random.whole(1, 4);
  for (let session = 0; session < sessions; session++) {
    const opened = open(file, driver, plain);
    story.push(["start"]);
    const stats = await openAgentStats({ protocols: [protocol], store: opened.store, flushEvery: 3_600_000 });
    for (let part = 0; part < COPIES_A_SESSION; part++) {
      await live({ stats, story, random, servers });
      copy();
    }
    await stats.close();
    opened.close();
    if (random.percent(60)) copy();
  }
  const told: Told = { story, copies };
  mkdirSync(join(folder, LEDGERS));
  writeFileSync(join(folder, LEDGERS, "told.json"), JSON.stringify(told));
}

function open(file: string, driver: DriverName, plain: boolean): { readonly store: StatsStore; close(): void } {
  if (!plain) return { store: sqlcipherStore({ file, key: KEY, driver, thread: "same" }), close: () => {} };
  const handle = openPlain(file);
  handle.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
  return { store: sqliteStore(handle, { allowPlaintext: true }), close: () => void handle.close() };
}

interface Life {
  readonly stats: AgentStats;
  readonly story: Entry[];
  readonly random: Random;
  readonly servers: number;
}

async function live({ stats, story, random, servers }: Life): Promise<void> {
  const asked = async (what: Extract<Entry, readonly ["asked", ...unknown[]]>[2], ask: () => Promise<unknown>) => {
    const id = story.length;
    story.push(["asked", id, what]);
    await ask();
    story.push(["done", id]);
  };
  const steps = random.whole(2, 6);
  for (let step = 0; step < steps; step++) {
    for (let times = random.whole(1, servers * 2); times > 0; times--) {
      const [user, server] = [userOf(random.whole(1, USERS)), serverOf(random.whole(1, servers))];
      const [counter, n] = [random.pick([COUNTERS[0], COUNTERS[1]] as const), random.whole(1, 99)];
      story.push(["add", user, server, counter, n]);
      stats.server(protocol, user, server).add(counter, n);
    }
    await asked("save", () => stats.flush());
    const user = userOf(random.whole(1, USERS));
    const server = serverOf(random.whole(1, servers));
    if (random.percent(12)) await asked({ user }, () => stats.deleteUser(user));
    if (random.percent(8)) await asked({ reset: { server } }, () => stats.reset({ server }));
  }
}

await make(JSON.parse(process.argv[2] as string) as MakerOrder);

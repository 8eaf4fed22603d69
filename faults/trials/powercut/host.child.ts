/**
 * The process whose disk is recorded: it counts, saves, deletes, resets and ends, at random, and says in its marks what
 * it is about to do and what it was told is done.
 */
import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type AgentStats, openAgentStats } from "agent-stats";
import { type DriverName, sqlcipherStore } from "agent-stats/sqlcipher";
import { type HostStore, type SqliteHandle, sqliteStore } from "agent-stats/sqlite";
import { openWithKey } from "../../oracle/drivers.ts";
import { COUNTERS, KEY, protocol, serverOf, userOf } from "../../oracle/names.ts";
import type { Clearing, Entry } from "../../oracle/story.ts";
import { type Random, randomOf } from "../../random.ts";
import { SERVERS, USERS } from "./users.ts";

export interface HostOrder {
  readonly seed: number;
  /** The file of the statistics, or that of the host that they live in. */
  readonly file: string;
  readonly marks: string;
  /** The first id of what is asked: no two processes of a story may use the same. */
  readonly firstId: number;
  readonly store: "own" | "host";
  readonly driver: DriverName;
  /** Of the host's handle: `FULL` is what the library asks for. */
  readonly synchronous: "FULL" | "NORMAL" | "OFF";
  readonly steps: number;
  readonly ending: "close" | "exit" | "kill";
}

interface Host {
  readonly stats: AgentStats;
  readonly random: Random;
  readonly handle: SqliteHandle | null;
  readonly store: HostStore | null;
  mark(entry: Entry): void;
  nextId(): number;
}

async function run(order: HostOrder): Promise<void> {
  const marks = openSync(order.marks, "a");
  const mark = (entry: Entry) => void writeSync(marks, `${JSON.stringify(entry)}\n`);
  const random = randomOf(order.seed);
  const handle = order.store === "host" ? openHost(order) : null;
  const store = handle ? sqliteStore(handle) : null;
  mark(["start"]);
  const stats = await openAgentStats({
    protocols: [protocol],
    store:
      store ??
      sqlcipherStore({
        file: order.file,
        key: KEY,
        driver: order.driver,
        thread: random.percent(70) ? "worker" : "same",
      }),
    flushEvery: random.pick([50, 3_600_000]),
    onProblem: (problem) => {
      if (problem) throw problem;
    },
  });
  let id = order.firstId;
  const host: Host = { stats, random, handle, store, mark, nextId: () => id++ };
  for (let step = 0; step < order.steps; step++) await oneStep(host);
  await end(host, order.ending);
}

function openHost({ file, driver, synchronous }: HostOrder): SqliteHandle {
  const handle = openWithKey(file, driver);
  handle.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA temp_store = MEMORY`);
  return handle;
}

async function oneStep(host: Host): Promise<void> {
  const { random, stats } = host;
  const die = random.whole(0, 99);
  if (die < 50) count(host, random.whole(1, 4));
  else if (die < 65) await asked(host, "save", () => stats.flush());
  else if (die < 78) {
    // Counted while a save is on its way: the next one's.
    const saved = asked(host, "save", () => stats.flush());
    count(host, 2);
    await saved;
  } else if (die < 86) await deleteUser(host);
  else if (die < 91) await reset(host);
  else if (die < 95) await stats.getServersStats();
  else await sleep(60);
}

function count({ random, stats, mark }: Host, times: number): void {
  for (let i = 0; i < times; i++) {
    const [user, server] = [userOf(random.whole(1, USERS)), serverOf(random.whole(1, SERVERS))];
    const [counter, n] = [random.pick(COUNTERS), random.whole(1, 9)];
    mark(["add", user, server, counter, n]);
    stats.server(protocol, user, server).add(counter, n);
  }
}

/** Says that it is about to ask, asks, and says that it was answered. */
async function asked({ mark, nextId }: Host, what: "save" | Clearing, ask: () => unknown): Promise<void> {
  const id = nextId();
  mark(["asked", id, what]);
  await ask();
  mark(["done", id]);
}

async function deleteUser(host: Host): Promise<void> {
  const { random, stats, handle, store } = host;
  const user = userOf(random.whole(1, USERS));
  if (handle && store && random.percent(50)) {
    // The user's record and the user's statistics, in one transaction of the host's. What its memory still holds of the
    // user goes when it next looks, so it is saved before, and then looked.
    await asked(host, "save", () => stats.flush());
    await asked(host, { user }, () => {
      handle.exec("BEGIN IMMEDIATE");
      handle.prepare("DELETE FROM users WHERE name = ?").run([user]);
      store.deleteUserWithin(user);
      handle.exec("COMMIT");
    });
    await stats.getServersStats();
    return;
  }
  const totals = random.percent(25) ? ({ totals: "anonymise" } as const) : {};
  await asked(host, { user, ...totals }, async () => {
    const { erased } = await stats.deleteUser(user, totals);
    if (handle === null && erased !== "physically") throw new Error(`with nobody reading, it was erased ${erased}`);
  });
}

async function reset(host: Host): Promise<void> {
  const { random, stats } = host;
  const server = serverOf(random.whole(1, SERVERS));
  const user = userOf(random.whole(1, USERS));
  const scope = random.pick([{}, { server }, { user }, { user, server }]);
  const given = { ...("server" in scope && { server }), ...("user" in scope && { userId: user }) };
  await asked(host, { reset: scope }, () => stats.reset(given));
}

async function end(host: Host, ending: HostOrder["ending"]): Promise<void> {
  if (ending === "close") {
    await asked(host, "save", () => host.stats.close());
    host.handle?.close();
  } else {
    count(host, 2);
    if (ending === "exit") process.exit(0);
    if (host.random.percent(50)) void host.stats.flush();
    process.kill(process.pid, "SIGKILL");
  }
}

await run(JSON.parse(process.argv[2] as string) as HostOrder);

/** For tests of a user's deletion that is killed: a process that dies at a given statement, or at a given time. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import type { DriverName } from "../store/sqlcipher/drivers.ts";
import { KEY } from "../store/sqlcipher/files.testing.ts";

const require = createRequire(import.meta.url);
const urlOf = (name: string) => JSON.stringify(pathToFileURL(require.resolve(name)).href);

/** Names that stand in no other data. */
export const GONE = "forgotten";
export const STAYS = "remaining";

export type Kill =
  | { readonly statement: number; readonly when: "before" | "after" }
  | { readonly afterMs: number }
  /** Not at all: tells how many statements there are, and how long it takes. */
  | null;

export interface Outcome {
  readonly killed: boolean;
  /** How far the deletion was said to have gone; null where it was not acknowledged. */
  readonly erased: string | null;
  /** How much there was until the deletion was acknowledged, and in all, where nothing killed it. */
  readonly deletion: Effort;
  readonly all: Effort;
}

interface Effort {
  readonly statements: number;
  readonly tookMs: number;
}

/**
 * Every statement that the driver is given is counted from `arm()` on, and one of them is the last: the process kills
 * itself right before it, or right after. Or a second thread kills it after a time, in the midst of whatever it does.
 */
const PRELUDE = `
  import { writeSync } from "node:fs";
  import { createRequire } from "node:module";
  import { setImmediate as turn } from "node:timers/promises";
  import { Worker } from "node:worker_threads";
  import { defineProtocol, openAgentStats } from ${urlOf("agent-stats")};
  import { sqlcipherStore } from ${urlOf("agent-stats/sqlcipher")};
  import { sqliteStore } from ${urlOf("agent-stats/sqlite")};
  const { file, driver, key, kill, patience } = JSON.parse(process.argv[1]);
  const loaded = createRequire(${urlOf("agent-stats")})(driver);
  const Database = loaded.default ?? loaded;

  const smp = defineProtocol("smp", { sent: "messages sent", errors: { help: "messages refused", error: true } });
  const say = (what) => writeSync(1, what + "\\n");
  const die = () => process.kill(process.pid, "SIGKILL");
  let statements = 0;
  let armedAt = null;
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const step = (run) => {
    if (armedAt === null) return run();
    const n = ++statements;
    if (kill?.statement === n && kill.when === "before") die();
    const result = run();
    if (kill?.statement === n) die();
    return result;
  };
  const { exec, prepare } = Database.prototype;
  Database.prototype.exec = function (sql) {
    return step(() => exec.call(this, sql));
  };
  Database.prototype.prepare = function (sql) {
    const made = prepare.call(this, sql);
    const method = (name) => (params) => step(() => made[name](params));
    return { run: method("run"), get: method("get"), all: method("all") };
  };
  if (kill?.afterMs !== undefined) {
    const killer = "const { workerData: { flag, afterMs } } = require('node:worker_threads');"
      + "require('node:worker_threads').parentPort.postMessage('ready'); Atomics.wait(flag, 0, 0);"
      + "const until = performance.now() + afterMs; while (performance.now() < until); process.kill(process.pid, 'SIGKILL');";
    const worker = new Worker(killer, { eval: true, execArgv: [], workerData: { flag, afterMs: kill.afterMs } });
    await new Promise((resolve) => worker.once("message", resolve));
    worker.unref();
  }
  const arm = () => {
    armedAt = performance.now();
    Atomics.store(flag, 0, 1);
    Atomics.notify(flag, 0);
  };
  const effort = () => " " + statements + " " + (performance.now() - armedAt);
  const acknowledge = (erased) => say("erased " + erased + effort());
  const report = () => {
    const all = effort();
    armedAt = null;
    say("whole" + all);
  };
  const count = (stats, n, servers) => {
    for (let i = 0; i < servers; i++) {
      stats.server(smp, "${GONE}-user", "smp://${GONE}-" + i).add("sent", n);
      stats.server(smp, "${STAYS}-user", "smp://${STAYS}-" + i).add("sent", n);
    }
  };
  const storeOfItsOwn = () => sqlcipherStore({ file, key, driver, thread: "same" });
  const openHost = () => {
    const handle = new Database(file);
    if (driver === "better-sqlite3-multiple-ciphers") handle.exec("PRAGMA cipher = 'sqlcipher'; PRAGMA legacy = 4");
    handle.exec("PRAGMA key = \\"x'" + key + "'\\"; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000");
    return handle;
  };
  const open = (store) => openAgentStats({ protocols: [smp], store, flushEvery: 60_000 });
`;

/** What each program does once it is armed. All of them go on after the deletion: with late counts, saved and closed. */
const DELETE = `
  count(stats, 1, 3);
  await stats.flush();
  say("begun");
  arm();
  await remove();
  count(stats, 100, 5);
  await stats.flush();
  count(stats, 100, 5);
  await stats.close();
  report();
`;

export const PROGRAMS = {
  "in-process": `
    const stats = await open(storeOfItsOwn());
    const remove = async () => acknowledge((await stats.deleteUser("${GONE}-user")).erased);
    ${DELETE}`,
  "host's transaction": `
    const handle = openHost();
    const store = sqliteStore(handle);
    const stats = await open(store);
    const remove = async () => {
      handle.exec("BEGIN IMMEDIATE");
      handle.prepare("DELETE FROM users WHERE user_id = ?").run(["${GONE}-user"]);
      store.deleteUserWithin("${GONE}-user");
      handle.exec("COMMIT");
      acknowledge("logically");
    };
    ${DELETE}`,
  trigger: `
    const handle = openHost();
    const stats = await open(sqliteStore(handle));
    const remove = async () => {
      handle.prepare("DELETE FROM users WHERE user_id = ?").run(["${GONE}-user"]);
      acknowledge("logically");
    };
    ${DELETE}`,
  /** Counts and saves for both users until it is killed, while somebody else deletes one. */
  counting: `
    const stats = await open(storeOfItsOwn());
    count(stats, 1, 3);
    await stats.flush();
    say("begun");
    arm();
    const until = performance.now() + patience;
    while (performance.now() < until) {
      count(stats, 1, 3);
      await stats.flush();
      await turn();
    }
    await stats.close();
    report();`,
  /** A deletion as it must not be: one table after another. */
  "without a transaction": `
    const handle = openHost();
    say("begun");
    arm();
    const keys = "(SELECT key_id FROM agent_stats_key WHERE user_id = '${GONE}-user')";
    handle.exec("DELETE FROM agent_stats_past WHERE key_id IN " + keys);
    handle.exec("DELETE FROM agent_stats_count WHERE key_id IN " + keys);
    handle.exec("DELETE FROM agent_stats_key WHERE user_id = '${GONE}-user'");
    report();`,
} as const;

export type Program = keyof typeof PROGRAMS;

/** Runs a program to its end. */
export async function runProgram(
  program: Program,
  file: string,
  driver: DriverName,
  kill: Kill,
  { onBegun = () => {}, patience = 500 }: { readonly onBegun?: () => void; readonly patience?: number } = {},
): Promise<Outcome> {
  const given = JSON.stringify({ file, driver, key: KEY, kill, patience });
  const child = spawn(process.execPath, ["--input-type=module", "--eval", PRELUDE + PROGRAMS[program], given], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.on("data", (part: Buffer) => {
    const begins = !said.includes("begun");
    said += part;
    if (begins && said.includes("begun")) onBegun();
  });
  const stderr = text(child.stderr);
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (_code, by) => resolve(by));
  });
  const [, erased = null, ...deletion] = /erased (\w+) (\d+) ([\d.]+)/.exec(said) ?? [];
  const [isWhole, ...all] = /whole (\d+) ([\d.]+)/.exec(said) ?? [];
  if (!said.includes("begun") || (!isWhole && signal !== "SIGKILL")) {
    throw new Error(`the program failed: ${said} ${await stderr}`);
  }
  const effort = ([statements, tookMs]: string[]): Effort => {
    return { statements: Number(statements ?? 0), tookMs: Number(tookMs ?? 0) };
  };
  return { killed: signal === "SIGKILL", erased, deletion: effort(deletion), all: effort(all) };
}

/**
 * So many kills: at every statement of the deletion, before and after, and at every one that follows, as far as they
 * reach; the rest at random times. Where they do not reach, each part has its share.
 */
export function killsFor({ deletion, all }: Outcome, count: number): Kill[] {
  const points = (from: number, to: number) =>
    Array.from({ length: (to - from) * 2 }, (_, i): Kill => {
      return { statement: from + 1 + (i >> 1), when: i % 2 === 0 ? "before" : "after" };
    });
  const during = spread(points(0, deletion.statements), Math.floor(count * 0.4));
  const later = spread(points(deletion.statements, all.statements), Math.floor(count * 0.35));
  const longest = deletion.tookMs > 0 ? deletion.tookMs * 1.2 : all.tookMs;
  const timed = Array.from({ length: count - during.length - later.length }, (): Kill => {
    return { afterMs: Math.random() * longest };
  });
  return [...during, ...later, ...timed];
}

/** A kill that reaches what was over too soon for the last one. */
export function sooner(kill: Kill): Kill {
  if (kill && "afterMs" in kill) return { afterMs: kill.afterMs / 2 };
  if (kill && kill.statement > 1) return { ...kill, statement: kill.statement >> 1 };
  throw new Error("nothing can kill it");
}

/** At most so many of them, evenly. */
function spread<T>(all: readonly T[], most: number): T[] {
  const count = Math.min(all.length, most);
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)] as T);
}

/** The process under test of the erase trial: it does the steps that it is told, through the library's public API. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { type AgentStats, openAgentStats, readAgentStats, type StatsError } from "agent-stats";
import { moveAside, type SqlcipherOptions, sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import type { SqliteHandle } from "agent-stats/sqlite";
import { KEY } from "../../oracle/canary.ts";
import { openWithKey } from "../../oracle/drivers.ts";
import { protocol } from "../../oracle/names.ts";
import { secretIn } from "../../oracle/told-errors.ts";
import { answerCalls } from "../../remote/answer.ts";
import { nowWith } from "../../remote/clock.ts";
import { nameOfSum, type Step, type UserId } from "./history.ts";

type Where = Pick<SqlcipherOptions, "file" | "driver" | "thread">;

const HOUR_MS = 3_600_000;
/** No save comes by itself, but for what is tried again while an erasure is pending. */
const FLUSH_EVERY_MS = 60_000;
const FLUSH_SOON_MS = 50;

let where: Where = { file: "" };
let stats: AgentStats | null = null;
let flushEvery = FLUSH_EVERY_MS;
let erasedNow = () => {};
let erased: Promise<void> = Promise.resolve();
let reading: SqliteHandle | null = null;
let left: SqliteHandle | null = null;
let crowd: { stop(): Promise<number> } | null = null;
let leaked: string | null = null;
const clock = nowWith();

function openAt(given: Where, onErased = () => {}): Promise<AgentStats> {
  const store = sqlcipherStore({ ...given, key: KEY });
  return openAgentStats({ protocols: [protocol], store, flushEvery, onErased, onProblem: search });
}

/** What it was told goes no further: it is searched here. */
function search(problem: StatsError | null): void {
  leaked ??= secretIn(problem);
}

async function open(): Promise<AgentStats> {
  erased = new Promise((resolve) => {
    erasedNow = resolve;
  });
  return openAt(where, () => erasedNow());
}

const opened = () => {
  if (!stats) throw new Error("nothing is open");
  return stats;
};

async function take(step: Step): Promise<void> {
  if (step.do === "count")
    opened()
      .server(protocol, step.userId, step.server)
      .add(step.counter as never, step.n);
  else if (step.do === "flush") await opened().flush();
  else if (step.do === "hours") clock.move(step.hours * HOUR_MS);
  else if (step.do === "reset") await opened().reset({ server: step.server });
  else if (step.do === "delete") await opened().deleteUser(step.userId);
  else {
    await opened().close();
    if (step.do === "aside") flip(await moveAside(where), step.flipAt);
    stats = await open();
  }
}

/** Damages a copy: a page of it does not authenticate any more, and can be decrypted all the same. */
function flip(copy: string, at: number | null): void {
  if (at === null) return;
  const fd = openSync(copy, "r+");
  const byte = Buffer.alloc(1);
  if (readSync(fd, byte, 0, 1, at) === 1) writeSync(fd, Buffer.from([(byte[0] ?? 0) ^ 0x55]), 0, 1, at);
  closeSync(fd);
}

/** Counts for these keys and saves, over and over, until it is stopped; tells how much it counted for each. */
function countOn(keys: readonly { readonly userId: UserId; readonly server: string }[], counter: string) {
  let going = true;
  let rounds = 0;
  const loop = (async () => {
    while (going) {
      for (const { userId, server } of keys)
        opened()
          .server(protocol, userId, server)
          .add(counter as never, 1);
      rounds += 1;
      await opened().flush();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  return {
    async stop() {
      going = false;
      await loop;
      return rounds;
    },
  };
}

async function sumsIn(given: Where): Promise<Map<string, number>> {
  const view = readAgentStats({ store: sqlcipherReader({ ...given, key: KEY }) });
  try {
    const { servers } = await view.getServersStats();
    return new Map(
      servers.flatMap(({ userId, server, overall }) =>
        Object.entries(overall).map(([counter, n]) => [nameOfSum(userId, server, counter), n] as const),
      ),
    );
  } finally {
    await view.close();
  }
}

answerCalls({
  async open({ soon, ...given }: Where & { readonly soon: boolean }) {
    where = given;
    flushEvery = soon ? FLUSH_SOON_MS : FLUSH_EVERY_MS;
    stats = await open();
    return stats.problem?.code ?? null;
  },
  async take(steps: readonly Step[]) {
    for (const step of steps) await take(step);
  },
  delete: ({ userId, totals }: { readonly userId: UserId; readonly totals: "forget" | "anonymise" }) =>
    opened().deleteUser(userId, { totals }),
  whenErased: () => erased,
  async close() {
    await stats?.close();
    stats = null;
  },
  sums: sumsIn,
  /** What the next start makes of an image: everything that it does by itself, and what is left then. */
  async nextStart(given: Where) {
    const next = await openAt(given);
    const problem = next.problem?.code ?? null;
    await next.close();
    if (leaked !== null) throw new Error(`a secret stands in what it was told: ${leaked}`);
    return { problem, sums: await sumsIn(given) };
  },
  startCounting(given: { keys: { userId: UserId; server: string }[]; counter: string }) {
    crowd = countOn(given.keys, given.counter);
  },
  stopCounting: () => crowd?.stop(),
  holdOpen({ file, driver }: Where) {
    reading = openWithKey(file, driver);
    reading.exec("BEGIN");
    reading.prepare("SELECT COUNT(*) AS n FROM agent_stats_key").all([]);
  },
  letGo() {
    reading?.exec("COMMIT");
    reading?.close();
    reading = null;
  },
  /** The control: deletes as the library does, but leaves the log, or the pages of the file, as they are. */
  deleteOnly({ file, driver, userId, keepLog, secure }: Where & { userId: UserId; keepLog: boolean; secure: boolean }) {
    const database = openWithKey(file, driver);
    database.exec(`PRAGMA secure_delete = ${secure ? "ON" : "OFF"}; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE`);
    const keys = "SELECT key_id FROM agent_stats_key WHERE user_id = ?";
    for (const table of ["agent_stats_count", "agent_stats_past", "agent_stats_key"]) {
      database.prepare(`DELETE FROM ${table} WHERE key_id IN (${keys})`).run([String(userId)]);
    }
    database.exec("COMMIT");
    // A process that is killed now leaves the log; one that ends well moves it into the file.
    if (keepLog) left = database;
    else database.close();
  },
  letGoRaw() {
    left?.close();
    left = null;
  },
});

/**
 * A member of the crowd: counts, saves, looks, deletes and resets at random in a file that many others use at the same
 * time, until it is killed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { type AgentStats, openAgentStats, readAgentStats, StatsError } from "agent-stats";
import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { sqliteStore } from "agent-stats/sqlite";
import { watchBlocking } from "../../child/blocked.ts";
import { endWithParent } from "../../child/orphan.ts";
import { codeNumber } from "../../child/problems.ts";
import { openWithKey } from "../../oracle/drivers.ts";
import { openLedger, WHAT, type What } from "../../oracle/ledger.ts";
import { ATTEMPTED, COUNTERS, KEY, protocol, SENT, serverOf, userOf } from "../../oracle/names.ts";
import { randomOf } from "../../random.ts";
import {
  BURST,
  doomedOf,
  type MemberSpec,
  PAUSE_MS,
  resetServerOfLife,
  SHARED_USERS,
  serverOfLife,
} from "./member-spec.ts";

const spec = (isMainThread ? JSON.parse(process.argv[2] ?? "") : workerData) as MemberSpec;
const ledger = openLedger(spec.ledger);
const random = randomOf(spec.seed);
const FLUSH_EVERY_MS = 100;

function open(): Promise<AgentStats> {
  const { file, driver, place } = spec;
  return openAgentStats({
    protocols: [protocol],
    store:
      place === "host"
        ? hostStore()
        : sqlcipherStore({ file, key: KEY, driver, thread: place === "own" ? "worker" : "same" }),
    flushEvery: FLUSH_EVERY_MS,
    onProblem: (problem) => problem && ledger.note(WHAT.problem, { amount: codeNumber(problem) }),
  });
}

function hostStore() {
  const handle = openWithKey(spec.file, spec.driver);
  handle.exec(`PRAGMA busy_timeout = ${spec.busyTimeoutMs}`);
  return sqliteStore(handle);
}

async function countForEver(stats: AgentStats): Promise<never> {
  ledger.note(WHAT.started);
  const doomed = doomedOf(spec.life);
  const users = [...SHARED_USERS, ...doomed];
  const keys = users.flatMap((user) =>
    [serverOfLife(spec.life), resetServerOfLife(spec.life)].map((server) => ({ user, server })),
  );
  const counters = keys.map(({ user, server }) => {
    const handle = stats.server(protocol, userOf(user), serverOf(server));
    const attempted = handle.counter(COUNTERS[ATTEMPTED]);
    const sent = handle.counter(COUNTERS[SENT]);
    return () => {
      ledger.add(user, server, ATTEMPTED, 1);
      attempted.add();
      ledger.add(user, server, SENT, 1);
      sent.add();
    };
  });
  for (;;) {
    for (let n = random.whole(...BURST) / 2; n > 0; n--) random.pick(counters)();
    const chance = random.next();
    if (chance < 0.15) await told(WHAT.flush, WHAT.flushed, {}, () => stats.flush());
    else if (chance < 0.2) await look(() => stats.getServersStats());
    else if (chance < 0.25) await deleteOne(stats, random.pick([spec.life, ...spec.others]));
    else if (chance < 0.3) await resetOwn(stats);
    await sleep(random.whole(0, PAUSE_MS));
  }
}

function deleteOne(stats: AgentStats, life: number): Promise<void> {
  const user = random.pick(doomedOf(life));
  return told(WHAT.deleting, WHAT.deleted, { user }, () => stats.deleteUser(userOf(user)));
}

function resetOwn(stats: AgentStats): Promise<void> {
  const server = resetServerOfLife(spec.life);
  return told(WHAT.resetting, WHAT.reset, { server }, () => stats.reset({ server: serverOf(server) }));
}

async function told(before: What, after: What, given: object, work: () => Promise<unknown>): Promise<void> {
  ledger.note(before, given);
  try {
    await work();
    ledger.note(after, given);
  } catch (error) {
    rejected(error);
  }
}

/** A reader may look before the file was made. */
function rejected(error: unknown): void {
  const code = error instanceof StatsError ? error.code : null;
  if (code === "STATS_MISSING" && spec.role === "read") return;
  ledger.note(WHAT.rejected, { amount: error instanceof StatsError ? codeNumber(error) : -1 });
}

type Sums = Awaited<ReturnType<AgentStats["getServersStats"]>>;

/** What nobody resets never shrinks, and of one moment no more is sent than was attempted. */
async function look(read: () => Promise<Sums>, before?: Map<string, number>): Promise<void> {
  try {
    let isWrong = false;
    for (const { userId, server, overall } of (await read()).servers) {
      const sent = overall[COUNTERS[SENT]] ?? 0;
      if (sent > (overall[COUNTERS[ATTEMPTED]] ?? 0)) isWrong = true;
      const name = `${userId} ${server}`;
      if (before && isLasting(userId, server) && sent < (before.get(name) ?? 0)) isWrong = true;
      before?.set(name, sent);
    }
    ledger.note(isWrong ? WHAT.sawWrong : WHAT.looked);
  } catch (error) {
    rejected(error);
  }
}

const lastingUsers = new Set(SHARED_USERS.map(userOf));
/** Servers of an odd number are reset. */
const isLasting = (userId: string, server: string) => lastingUsers.has(userId) && !/[13579]\.example$/.test(server);

async function readForEver(): Promise<never> {
  const { file, driver } = spec;
  const before = new Map<string, number>();
  const view = readAgentStats({ store: sqlcipherReader({ file, key: KEY, driver }) });
  for (;;) {
    await look(() => view.getServersStats(), before);
    await sleep(random.whole(5, 30));
  }
}

if (isMainThread) {
  watchBlocking(ledger);
  endWithParent();
}
for (const thread of spec.threads) new Worker(new URL(import.meta.url), { workerData: thread });
if (spec.role === "count") await countForEver(await open());
else await readForEver();

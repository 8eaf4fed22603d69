/**
 * A member of the crowd: counts, saves, looks, deletes and resets at random in a file that many others use at the same
 * time, until it is killed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { type AgentStats, openAgentStats, readAgentStats, StatsError, type StatsStore } from "agent-stats";
import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { sqliteStore } from "agent-stats/sqlite";
import { watchBlocking } from "../../child/blocked.ts";
import { endWithParent } from "../../child/orphan.ts";
import { codeNumber } from "../../child/problems.ts";
import { openWithKey } from "../../oracle/drivers.ts";
import { openLedger, WHAT, type What } from "../../oracle/ledger.ts";
import { ATTEMPTED, COUNTERS, KEY, protocol, SENT, serverOf, userOf } from "../../oracle/names.ts";
import { secretIn } from "../../oracle/told-errors.ts";
import { randomOf } from "../../random.ts";
import {
  BATCH,
  BURST,
  doomedOf,
  type MemberSpec,
  PAUSE_MS,
  resetServerOfLife,
  SHARED_USERS,
  serverOfLife,
} from "./member-spec.ts";

/** What the members of a process share: how many of them have opened their statistics. */
interface Shared {
  readonly opened: Int32Array;
  readonly members: number;
}

const { spec, shared } = isMainThread ? ofProcess(JSON.parse(process.argv[2] ?? "")) : (workerData as OfThread);
const ledger = openLedger(spec.ledger);
const random = randomOf(spec.seed);
const FLUSH_EVERY_MS = 100;
const LOOKS_EVERY_MS = 2;

interface OfThread {
  readonly spec: MemberSpec;
  readonly shared: Shared;
}

function ofProcess(spec: MemberSpec): OfThread {
  return { spec, shared: { opened: new Int32Array(new SharedArrayBuffer(4)), members: 1 + spec.threads.length } };
}

function open(): Promise<AgentStats> {
  return openAgentStats({
    protocols: [protocol],
    store: spec.place === "host" ? hostStore() : ownStore(),
    flushEvery: FLUSH_EVERY_MS,
    onProblem: (problem) => problem && told(WHAT.problem, problem),
  });
}

function ownStore(): StatsStore {
  const { file, driver, place, standIn } = spec;
  const { announce, ...store } = sqlcipherStore({
    file,
    key: KEY,
    driver,
    thread: place === "own" ? "worker" : "same",
  });
  return standIn && announce ? { ...store, announce } : store;
}

function hostStore() {
  const handle = openWithKey(spec.file, spec.driver);
  handle.exec(`PRAGMA busy_timeout = ${spec.busyTimeoutMs}`);
  return sqliteStore(handle);
}

async function countForEver(stats: AgentStats): Promise<never> {
  ledger.note(WHAT.started);
  // All begin at once: else a thread, which starts late, would meet none of the others before its process is killed.
  Atomics.add(shared.opened, 0, 1);
  while (Atomics.load(shared.opened, 0) < shared.members) await sleep(LOOKS_EVERY_MS);
  const doomed = doomedOf(spec.life);
  const users = [...SHARED_USERS, ...doomed];
  const keys = users.flatMap((user) =>
    [serverOfLife(spec.life), resetServerOfLife(spec.life)].map((server) => ({ user, server })),
  );
  const counters = keys.map(({ user, server }) => {
    const handle = stats.server(protocol, userOf(user), serverOf(server));
    const attempted = handle.counter(COUNTERS[ATTEMPTED]);
    const sent = handle.counter(COUNTERS[SENT]);
    return {
      told: [ATTEMPTED, SENT].map((counter) => ({ user, server, counter })),
      add: () => {
        attempted.add();
        sent.add();
      },
    };
  });
  for (;;) {
    for (let n = random.whole(...BURST); n > 0; n--) {
      const batch = Array.from({ length: BATCH }, () => random.pick(counters));
      ledger.addAll(batch.flatMap(({ told }) => told));
      for (const { add } of batch) add();
    }
    const chance = random.next();
    if (chance < 0.15) await acknowledged(WHAT.flush, WHAT.flushed, {}, () => stats.flush());
    else if (chance < 0.2) await look(() => stats.getServersStats());
    else if (chance < 0.25) await deleteOne(stats, random.pick([spec.life, ...spec.others]));
    else if (chance < 0.3) await resetOwn(stats);
    await sleep(random.whole(0, PAUSE_MS));
  }
}

function deleteOne(stats: AgentStats, life: number): Promise<void> {
  const user = random.pick(doomedOf(life));
  return acknowledged(WHAT.deleting, WHAT.deleted, { user }, () => stats.deleteUser(userOf(user)));
}

function resetOwn(stats: AgentStats): Promise<void> {
  const server = resetServerOfLife(spec.life);
  return acknowledged(WHAT.resetting, WHAT.reset, { server }, () => stats.reset({ server: serverOf(server) }));
}

async function acknowledged(before: What, after: What, given: object, work: () => Promise<unknown>): Promise<void> {
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
  if (code !== "STATS_MISSING" || spec.role !== "read") told(WHAT.rejected, error);
}

/** The ledger keeps no more of an error than its code: it is searched before. */
function told(what: What, error: unknown): void {
  ledger.note(what, { amount: error instanceof StatsError ? codeNumber(error) : -1 });
  if (secretIn(error) !== null) ledger.note(WHAT.leaked);
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

if (isMainThread) endWithParent();
for (const thread of spec.threads) startThread({ spec: thread, shared });
watchBlocking(ledger);
try {
  if (spec.role === "count") await countForEver(await open());
  else await readForEver();
} catch (error) {
  // Told here: a process that is killed a moment later has no exit code to tell it by.
  ledger.note(WHAT.broke);
  throw error;
}

/** None ends by itself. What it threw has ended this process before. */
function startThread(workerData: OfThread): void {
  new Worker(new URL(import.meta.url), { workerData }).on("exit", () => {
    ledger.note(WHAT.broke);
    throw new Error("a member thread ended by itself");
  });
}

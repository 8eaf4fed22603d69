/** A host that counts and keeps through the library's public API, and does what it is told across its channel. */
import { type AgentStats, openAgentStats, readAgentStats, StatsError } from "agent-stats";
import { type SqlcipherOptions, sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { KEY } from "../oracle/canary.ts";
import { openWithKey } from "../oracle/drivers.ts";
import { protocol } from "../oracle/names.ts";
import { secretIn } from "../oracle/told-errors.ts";
import { answerCalls } from "./answer.ts";
import { nowWith } from "./clock.ts";
import { type Count, type HostOptions, nameOfSum, type Outcome, type Reading, type Where } from "./host.ts";
import { storeWithout } from "./without.ts";

const clock = nowWith();
let stats: AgentStats | null = null;
let problems: (string | null)[] = [];
let flushing: Promise<Outcome> = Promise.resolve({ code: null });
/** An error that told a secret: the next call throws it. */
let leak: string | null = null;

const optionsOf = ({ file, driver, thread, key = KEY }: Where): SqlcipherOptions => ({
  file,
  key,
  ...(driver && { driver }),
  ...(thread && { thread }),
});

const opened = () => {
  if (!stats) throw new Error("nothing is open");
  return stats;
};

/** How a call ended: only errors of the library are expected, and only these have a code. */
async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  let code: string | null = null;
  try {
    await call;
  } catch (error) {
    if (!(error instanceof StatsError)) throw error;
    code = codeOf(error);
  }
  if (leak !== null) throw new Error(leak);
  return { code };
}

/** All that is told of an error: it is searched before. */
function codeOf(error: StatsError): string {
  const secret = secretIn(error);
  if (secret !== null) leak ??= `an error with ${error.code} tells a secret: ${secret}`;
  return error.code;
}

const sumsOf = (servers: readonly { userId: string; server: string }[], counters: (index: number) => object) =>
  new Map(
    servers.flatMap(({ userId, server }, index) =>
      Object.entries(counters(index)).map(([counter, n]) => [nameOfSum(userId, server, counter), n as number] as const),
    ),
  );

async function read(where: Where): Promise<Reading> {
  const view = readAgentStats({ store: sqlcipherReader(optionsOf(where)) });
  try {
    const { servers } = await view.getServersStats();
    const timeline = { from: new Date(-8.64e15), to: new Date(8.64e15) };
    return {
      sums: sumsOf(servers, (index) => servers[index]?.overall ?? {}),
      sessions: await view.getSessions(),
      hours: await view.getTimeline({ ...timeline, by: "hour" }),
      days: await view.getTimeline({ ...timeline, by: "day" }),
    };
  } finally {
    await view.close();
  }
}

answerCalls({
  async open({ where, flushEvery, keepHistory }: HostOptions) {
    problems = [];
    leak = null;
    stats = await openAgentStats({
      protocols: [protocol],
      store: where.without ? storeWithout(where.without, where) : sqlcipherStore(optionsOf(where)),
      flushEvery,
      onProblem: (problem) => problems.push(problem && codeOf(problem)),
      ...(keepHistory !== undefined && { keepHistory }),
    });
    return { code: stats.problem && codeOf(stats.problem) } satisfies Outcome;
  },
  count(counts: readonly Count[]) {
    for (const { userId, server, counter, n } of counts) opened().server(protocol, userId, server).add(counter, n);
  },
  flush: () => outcomeOf(opened().flush()),
  /** Saves without waiting: what is told next happens meanwhile. */
  startFlush() {
    flushing = outcomeOf(opened().flush());
  },
  flushed: () => flushing,
  close: () => outcomeOf(opened().close()),
  problems: () => problems,
  problem: () => opened().problem?.code ?? null,
  /** What stands in memory, whatever became of the file. */
  memory() {
    const { servers } = opened().recorder.getServersStats();
    return sumsOf(servers, (index) => servers[index]?.total ?? {});
  },
  moveClock: (ms: number) => clock.move(ms),
  setClock: (at: number) => clock.set(at),
  now: () => Date.now(),
  setZone(zone: string) {
    process.env.TZ = zone;
  },
  async look() {
    await opened().getServersStats();
    await opened().getSessions();
  },
  read,
  /** What SQLite's own check says: `ok`. */
  integrity({ file, driver }: Where) {
    const database = openWithKey(file, driver);
    try {
      return Object.values(database.prepare("PRAGMA integrity_check").get([]) as object)[0];
    } finally {
      database.close();
    }
  },
});

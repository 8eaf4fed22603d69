/** What the present library does with an older file: one life of a host on it, through the public API. */
import { defineProtocol, keepStats, openAgentStats, Recorder, readAgentStats, type StatsStore } from "agent-stats";
import { type DriverName, type SqlcipherOptions, sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { type SqliteHandle, sqliteStore } from "agent-stats/sqlite";
import { databaseClass } from "../../oracle/drivers.ts";
import { answerCalls } from "../../remote/answer.ts";
import { COUNTS, KEY, type LifeOrder, type Told } from "./orders.ts";

const FLUSH_EVERY_MS = 60_000;
/** The fixtures grow older; their history is not to be pruned. */
const KEEP_DAYS = 36_500;

function protocolsOf(counters: readonly string[]) {
  const definition = Object.fromEntries(counters.map((name) => [name, `counts ${name}`]));
  return ["smp", "xftp", "mqtt"].map((name) => defineProtocol(name, definition));
}

/** The file as a host has it open that keeps its own things there. */
function openAsHost(file: string, driver: DriverName): SqliteHandle {
  const handle = new (databaseClass(driver))(file);
  if (driver !== "@signalapp/sqlcipher") handle.exec("PRAGMA cipher = 'sqlcipher'; PRAGMA legacy = 4");
  handle.exec(`PRAGMA key = "x'${KEY}'"; PRAGMA busy_timeout = 5000`);
  return handle;
}

async function live({ where, wiring, counters, counts }: LifeOrder): Promise<Told> {
  const handle = wiring === "host" ? openAsHost(where.file, where.driver) : null;
  const store: StatsStore = handle ? sqliteStore(handle) : sqlcipherStore(optionsOf(where));
  const protocols = protocolsOf(counters);
  const recorder = new Recorder({ protocols });
  const options = { store, flushEvery: FLUSH_EVERY_MS, keepHistory: KEEP_DAYS, onProblem: () => {} };
  const stats = await (wiring === "past"
    ? openAgentStats({ ...options, protocols, startFrom: "past" })
    : keepStats({ ...options, agent: recorder }));
  try {
    const problem = stats.problem?.code ?? null;
    for (const { protocol, userId, server, counter, n } of counts ? COUNTS : []) {
      const of = protocols.find(({ name }) => name === protocol);
      if (of) stats.server(of, userId, server).add(counter, n);
    }
    const flushed = await stats.flush().then(
      () => null,
      (error) => error.code ?? `${error}`,
    );
    return { problem, flushed };
  } finally {
    await stats.close().catch(() => {});
    handle?.close();
  }
}

const optionsOf = ({ file, driver, thread }: LifeOrder["where"]): SqlcipherOptions => ({
  file,
  key: KEY,
  driver,
  thread,
});

async function read(where: LifeOrder["where"]) {
  const view = readAgentStats({ store: sqlcipherReader(optionsOf(where)) });
  try {
    const { servers, sessions } = await view.getServersStats();
    return { servers, sessions, hours: await view.getTimeline({ from: new Date(0), to: new Date(8.64e15) }) };
  } finally {
    await view.close();
  }
}

answerCalls({
  ready: () => true,
  live,
  read: (where: LifeOrder["where"]) =>
    read(where).then(
      (reading) => ({ problem: null, ...reading }),
      (error) => ({ problem: error.code ?? `${error}`, servers: [], sessions: [], hours: [] }),
    ),
});

/** A host that goes wrong in one way, and prints all that it has in hand: errors, stacks, public objects, inspected. */
import { renameSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { inspect } from "node:util";
import workerThreads, { MessageChannel, Worker } from "node:worker_threads";
import {
  type AgentStats,
  connectRecorder,
  defineProtocol,
  keepStats,
  openAgentStats,
  Recorder,
  readAgentStats,
  type StatsStore,
  serveRecorder,
} from "agent-stats";
import { countMqtt, mqtt } from "agent-stats/mqtt";
import { type SqlcipherOptions, sqlcipherReader, sqlcipherStore, verifyFile } from "agent-stats/sqlcipher";
import { sqliteStore } from "agent-stats/sqlite";
import { KEY, MARK } from "../../oracle/canary.ts";
import { databaseClass, openWithKey } from "../../oracle/drivers.ts";
import { COUNTERS, protocol, serverOf, userOf } from "../../oracle/names.ts";
import { regionsHolding } from "./memory.ts";
import { TalkingClient, TOPIC } from "./mqtt-life.ts";
import type { Order } from "./order.ts";

const order = JSON.parse(process.argv[2] ?? "{}") as Order;
const { file, driver, thread } = order;
const options: SqlcipherOptions = { file, key: KEY, driver, thread };

/** Prints it in each way in which a host's log would. */
function say(what: string, value: unknown): void {
  console.log(what, inspect(value, { depth: 12, showHidden: true, getters: true, maxStringLength: null }));
  console.error(value);
  console.log(
    String(value),
    JSON.stringify(value, (_, each) => (typeof each === "bigint" ? String(each) : each)),
  );
  if (value instanceof Error) say(`${what}: cause`, value.cause ?? null);
}

async function sayError(what: string, call: () => unknown): Promise<void> {
  try {
    await call();
    console.log(`${what}: no error`);
  } catch (error) {
    say(what, error);
  }
}

function count(stats: AgentStats, n = 40): void {
  for (let i = 0; i < n; i++) stats.server(protocol, userOf(i % 4), serverOf(i)).add(COUNTERS[i % 3] as never, i + 1);
}

/** A whole life with this store, whatever becomes of it. */
async function live(store: StatsStore, meanwhile: (stats: AgentStats) => unknown = () => {}): Promise<void> {
  const stats = await openAgentStats({ protocols: [protocol], store, flushEvery: 50 });
  count(stats);
  await sayError("flush", () => stats.flush());
  await sayError("meanwhile", () => meanwhile(stats));
  count(stats);
  await sayError("flush", () => stats.flush());
  await sayError("stats", () => stats.getServersStats());
  await sayError("sessions", () => stats.getSessions());
  await sayError("deletion", () => stats.deleteUser(userOf(1)));
  await sayError("reset", () => stats.reset({ server: serverOf(2) }));
  say("stats", stats);
  say("recorder", stats.recorder);
  say("store", store);
  say("problem", stats.problem);
  await sayError("close", () => stats.close());
}

const read = (given: Partial<SqlcipherOptions> = {}) =>
  sayError("read", async () => {
    const view = readAgentStats({ store: sqlcipherReader({ ...options, ...given }) });
    say("view", view);
    try {
      await view.getServersStats();
    } finally {
      await view.close();
    }
  });

const own = (given: Partial<SqlcipherOptions> = {}) => live(sqlcipherStore({ ...options, ...given }));

async function bad(): Promise<void> {
  await own();
  await read();
  await sayError("verify", async () => say("findings", await verifyFile(options)));
}

async function hostsHandle(isEncrypted: boolean): Promise<void> {
  const handle = isEncrypted ? openWithKey(file, driver) : new (databaseClass(driver))(file);
  handle.exec("PRAGMA busy_timeout = 0; CREATE TABLE IF NOT EXISTS of_the_host (a INTEGER)");
  const blocker = isEncrypted ? openWithKey(file, driver) : null;
  blocker?.exec("BEGIN EXCLUSIVE");
  const store = sqliteStore(handle);
  await live(store);
  await sayError("within", () => store.deleteUserWithin(userOf(1)));
  await sayError("trigger", () => store.installUserTrigger({ table: "not_there", column: MARK }));
  blocker?.exec("ROLLBACK");
}

async function lyingAgent(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const recorder = new Recorder({ protocols: [protocol] });
  serveRecorder(recorder, port2);
  const remote = connectRecorder(port1);
  say("remote", remote);
  const agent = { getServersStats: () => ({ session: MARK, servers: [{ protocol: MARK, userId: {}, server: 5 }] }) };
  for (const each of [remote, agent]) {
    const stats = await keepStats({
      agent: each,
      protocols: [protocol],
      store: sqlcipherStore(options),
      flushEvery: 50,
    });
    await sayError("flush", () => stats.flush());
    say("stats", stats);
    await stats.close();
  }
  port2.postMessage({ agentStats: "get", id: MARK, userId: MARK });
  port1.close();
  console.log("all was well");
}

function badDefinitions(): void {
  const definitions: unknown[] = [
    { [MARK]: "" },
    { [`${MARK}-`.repeat(20)]: "help" },
    { [MARK]: { help: "help", attemptsOf: `${MARK}2` } },
    { [MARK]: null },
  ];
  for (const definition of definitions)
    void sayError("definition", () => defineProtocol(`p${MARK}`, definition as never));
  void sayError("definition", () => defineProtocol(`${MARK} no name`, {}));
  void sayError(
    "twice",
    () => new Recorder({ protocols: [protocol, defineProtocol(protocol.name, { [MARK]: "help" })] }),
  );
  const recorder = new Recorder({ protocols: [protocol] });
  say("recorder", recorder);
}

/** Every thread that is started from here on. */
function watchThreads(): Worker[] {
  const threads: Worker[] = [];
  workerThreads.Worker = class extends Worker {
    constructor(...given: ConstructorParameters<typeof Worker>) {
      super(...given);
      threads.push(this);
    }
  };
  syncBuiltinESMExports();
  return threads;
}

const LOTS = 3_000;

const SCENARIOS: Readonly<Record<string, () => Promise<void> | void>> = {
  "everything goes well": async () => {
    await own();
    await read();
    console.log("memory regions that hold a name:", regionsHolding(serverOf(3)));
    console.log("all was well");
  },
  "another key": bad,
  "a key that is none": async () => {
    for (const key of [KEY.slice(0, 62), `${KEY}0`, "", null, Buffer.from(KEY), { passphrase: `x'${KEY}'` }]) {
      await sayError("key", () => sqlcipherStore({ ...options, key: key as never }));
    }
  },
  "a passphrase": async () => {
    const key = { passphrase: `${MARK} and a passphrase` };
    await live(sqlcipherStore({ file, key, driver, thread }));
    // Once: each attempt costs what makes a passphrase hard to guess.
    await read({ key: { passphrase: `${MARK} and another` } });
    console.log("all was well");
  },
  "no encryption": bad,
  garbage: bad,
  "a damaged page": bad,
  "an empty file": bad,
  "a folder": bad,
  "no folder": bad,
  "nothing to read": () => read(),
  "a newer schema": bad,
  "a file that moves": () => live(sqlcipherStore(options), () => renameSync(file, `${file}.old`)),
  "a driver that is not there": () => own({ driver: "no-such-driver" as never }),
  closed: async () => {
    const stats = await openAgentStats({ protocols: [protocol], store: sqlcipherStore(options) });
    await stats.close();
    count(stats);
    for (const call of [() => stats.flush(), () => stats.deleteUser(userOf(1)), () => stats.getServersStats()]) {
      await sayError("closed", call);
    }
  },
  "a host's handle that is busy": () => hostsHandle(true),
  "a host's handle without encryption": () => hostsHandle(false),
  "bad calls": async () => {
    const stats = await openAgentStats({ protocols: [protocol], store: sqlcipherStore(options) });
    for (const given of [null, "", {}, [], Symbol("s"), 5n]) stats.server(protocol, given as never, serverOf(1));
    for (const n of [-1, 0.5, Number.NaN, MARK, {}])
      stats.server(protocol, 1, serverOf(1)).add(MARK as never, n as never);
    await sayError("timeline", () => stats.getTimeline({ from: new Date(Number.NaN), by: MARK as never }));
    await sayError("reset", () => stats.reset({ userId: { [MARK]: MARK } as never }));
    say("stats", stats);
    say("rejected", (await stats.getServersStats()).rejected);
    await stats.close();
  },
  "bad definitions": badDefinitions,
  "an agent that lies": lyingAgent,
  "a big deletion": async () => {
    const stats = await openAgentStats({ protocols: [protocol], store: sqlcipherStore(options) });
    count(stats, LOTS);
    await stats.flush();
    say("deleted", await stats.deleteUser(userOf(1)));
    await stats.close();
  },
  "an exception": async () => {
    const stats = await openAgentStats({ protocols: [protocol], store: sqlcipherStore(options) });
    count(stats);
    setTimeout(() => {
      throw new Error("the host broke");
    }, 1);
  },
  "a rejection of ours": async () => {
    const stats = await openAgentStats({ protocols: [protocol], store: sqlcipherStore(options), flushEvery: 50 });
    count(stats);
    void stats.flush();
  },
  "a worker that dies": async () => {
    const threads = watchThreads();
    const store = sqlcipherStore({ ...options, thread: "worker" });
    const stats = await openAgentStats({ protocols: [protocol], store, flushEvery: 60_000 });
    for (let death = 0; death < 2; death++) {
      count(stats);
      // It dies of what it was sent, within: the save that comes behind is never answered.
      threads.at(-1)?.postMessage(null);
      await sayError("flush", () => stats.flush());
      await stats.flush();
      console.log("kept again");
    }
    await sayError("nonsense", () => store.save({ cells: MARK, keys: [[MARK, MARK, MARK, MARK]] } as never));
    await sayError("nonsense", () => store.begin(MARK as never));
    say("store", store);
    await stats.close();
    console.log("threads:", threads.length);
  },
  "topics of MQTT": async () => {
    const stats = await openAgentStats({ protocols: [mqtt], store: sqlcipherStore(options), flushEvery: 50 });
    const client = new TalkingClient();
    let named = 0;
    const messageId = (topic: string) => {
      named += 1;
      throw new Error(`no id in ${topic}`);
    };
    const server = stats.server(mqtt, userOf(1), `mqtts://${MARK}.example:8883`);
    const stop = countMqtt(client, server, { messageId });
    client.live();
    await stats.flush();
    const [only] = (await stats.getServersStats()).servers;
    console.log(inspect(only?.overall, { sorted: true, breakLength: 1 }));
    console.log("topics were named:", named);
    await sayError("client", () => countMqtt({ ...client, topic: TOPIC } as never, server));
    await sayError("options", () => countMqtt(client, server, { messageId: TOPIC as never }));
    say("stop", stop);
    renameSync(file, `${file}.old`);
    client.live();
    await sayError("flush", () => stats.flush());
    say("stats", stats);
    say("recorder", stats.recorder);
    stop();
    await sayError("close", () => stats.close());
  },
};

await SCENARIOS[order.scenario]?.();

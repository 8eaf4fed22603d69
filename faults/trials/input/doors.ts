/** The doors of those who count and keep: each public function with arguments that are right. */
import { EventEmitter } from "node:events";
import * as entry from "agent-stats";
import { countMqtt, mqtt } from "agent-stats/mqtt";
import { moveAside, salvageFile, sqlcipherReader, sqlcipherStore, verifyFile } from "agent-stats/sqlcipher";
import { sqliteStore } from "agent-stats/sqlite";
import { KEY } from "../../oracle/canary.ts";
import { answering, type Door, DRIVER, door, key, protocol } from "./world.ts";

const { defineProtocol, memoryStore, openAgentStats, keepStats, readAgentStats, Recorder } = entry;

const client = () =>
  Object.assign(new EventEmitter(), { options: { protocolVersion: 4 }, connected: false, disconnecting: false });
const opened = { protocols: [protocol], store: undefined, startFrom: "zero", onProblem: () => {} } as const;
const keeping = { flushEvery: 5_000, keepHistory: 90, onErased: () => {}, users: () => [key.userId] } as const;
const file = { key: KEY, driver: DRIVER, thread: "same" } as const;
const closing = async (stats: Promise<entry.AgentStats>) => (await stats).close();

export const COUNTING: readonly Door[] = [
  door(
    "defineProtocol",
    () => ["smp", { sent: "sent", tried: { help: "tried", attemptsOf: "sent" } }],
    (_, ...of) => defineProtocol(...of),
  ),
  door(
    "a counter's definition",
    () => [{ help: "tried", unit: "count", error: true, attemptsOf: "sent" }],
    (_, of) => defineProtocol("smp", { sent: "sent", tried: of }),
  ),
  door(
    "new Recorder",
    () => [{ protocols: [protocol], startFrom: [{ ...key, overall: { sent: 5 } }] }],
    (_, of) => new Recorder(of),
  ),
  door(
    "startFrom",
    () => [{ ...key, overall: { sent: 5 } }],
    (_, of) => new Recorder({ protocols: [protocol], startFrom: [of] }),
  ),
  door(
    "forgetUser",
    () => [key.userId],
    (_, of) => new Recorder().forgetUser(of),
  ),
  door(
    "addUser",
    () => [key.userId],
    (_, of) => new Recorder().addUser(of),
  ),
  door(
    "Recorder.reset",
    () => [key],
    (world, of) => world.stats.recorder.reset({ ...of, userId: "nobody" }),
  ),
  door(
    "serveRecorder",
    () => [new Recorder(), answering()],
    (_, ...of) => entry.serveRecorder(...of),
  ),
  door(
    "connectRecorder",
    () => [answering()],
    (_, of) => entry.connectRecorder(of),
  ),
  door(
    "RemoteAgent.attach",
    () => [answering()],
    (_, of) => entry.connectRecorder(answering()).attach(of),
  ),
  door(
    "RemoteAgent.getServersStats",
    () => [{ changedOnly: true }],
    ({ agent }, of) => agent.getServersStats(of),
  ),
  door(
    "RemoteAgent.forgetUser",
    () => [key.userId],
    ({ agent }, of) => agent.forgetUser(of),
  ),
  door(
    "RemoteAgent.addUser",
    () => [key.userId],
    ({ agent }, of) => agent.addUser(of),
  ),
  door(
    "RemoteAgent.reset",
    () => [key],
    ({ agent }, of) => agent.reset(of),
  ),
  door(
    "RemoteAgent.listen",
    () => [() => {}],
    ({ agent }, of) => agent.listen?.(of),
  ),
  door(
    "countMqtt",
    () => [client(), new Recorder().server(mqtt, 1, key.server), { messageId: () => 1, rememberIds: 5 }],
    (_, ...of) => countMqtt(...of)(),
  ),
];

export const KEEPING: readonly Door[] = [
  door(
    "openAgentStats",
    () => [{ ...opened, ...keeping, store: memoryStore() }],
    (_, of) => closing(openAgentStats(of)),
  ),
  door(
    "keepStats",
    () => [{ ...opened, store: memoryStore(), agent: new Recorder() }],
    (_, of) => closing(keepStats(of)),
  ),
  door(
    "the agent that is kept",
    () => [{ getServersStats: () => null, listen: () => {}, reset: () => {} }],
    (_, of) => closing(keepStats({ store: memoryStore(), agent: of })),
  ),
  door(
    "readAgentStats",
    () => [{ store: memoryStore() }],
    (_, of) => readAgentStats(of).getServersStats(),
  ),
  door(
    "StatsView.getTimeline",
    ({ now }) => [{ from: now, to: now, by: "hour", ...key }],
    (_, of) => readAgentStats({ store: memoryStore() }).getTimeline(of),
  ),
  door(
    "AgentStats.getTimeline",
    ({ now }) => [{ from: now, to: now, by: "day", ...key }],
    ({ stats }, of) => stats.getTimeline(of),
  ),
  door(
    "AgentStats.server",
    () => [protocol, key.userId, key.server],
    ({ stats }, ...of) => stats.server(...of),
  ),
  door(
    "deleteUser",
    () => ["nobody", { totals: "forget" }],
    ({ stats }, ...of) => stats.deleteUser(...of),
  ),
  door(
    "AgentStats.addUser",
    () => [key.userId],
    ({ stats }, of) => stats.addUser(of),
  ),
  door(
    "AgentStats.reset",
    () => [{ ...key, server: "none" }],
    ({ stats }, of) => stats.reset(of),
  ),
  door(
    "sqlcipherStore",
    (world) => [{ ...file, file: world.file, ifDamaged: "refuse" }],
    (_, of) => sqlcipherStore(of),
  ),
  door(
    "sqlcipherReader",
    (world) => [{ ...file, file: world.file }],
    (_, of) => sqlcipherReader(of),
  ),
  door(
    "verifyFile",
    (world) => [{ ...file, file: world.file }],
    (_, of) => verifyFile(of),
  ),
  door(
    "salvageFile",
    (world) => [{ ...file, from: world.file, to: `${world.file}.new` }],
    (_, of) => salvageFile(of),
  ),
  door(
    "moveAside",
    (world) => [{ file: world.file, driver: DRIVER }],
    (_, of) => moveAside(of),
  ),
  door(
    "sqliteStore",
    ({ handle }) => [handle, { schema: "main", allowPlaintext: true }],
    (_, ...of) => sqliteStore(...of),
  ),
  door(
    "deleteUserWithin",
    () => [key.userId],
    ({ host }, of) => host.deleteUserWithin(of),
  ),
  door(
    "installUserTrigger",
    () => [{ table: "users", column: "id" }],
    ({ host }, of) => host.installUserTrigger(of),
  ),
];

/**
 * The app whose statistics are kept: two users who write to each other through three brokers, in one process. All that
 * it does for its statistics are the few lines in `start`; the rest is what it would do anyway, and its own log.
 */

import { readFileSync } from "node:fs";
import { type AgentStats, openAgentStats } from "agent-stats";
import { countMqtt, mqtt } from "agent-stats/mqtt";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { connect, type MqttClient } from "mqtt";
import type { HostEvent } from "./evidence.ts";
import { type LogEvent, openLog } from "./log.ts";
import { clientIdOf, topicOf, USERS } from "./plan.ts";
import type { HostOrder, HostTold, HostWork } from "./wire.ts";

/** Every so often an impatient app sends the same message again: that is what ids are for. */
const REPEAT_EVERY = 50;
const SEND_EVERY_MS = 20;
const TELL_EVERY_MS = 100;
const SETTLE_WITHIN_MS = 5_000;

/** One user's connection to one server. */
interface Conversation {
  readonly client: MqttClient;
  send(id: string): void;
}

async function start(work: HostWork): Promise<() => Promise<void>> {
  const stats = await openAgentStats({
    protocols: [mqtt],
    store: sqlcipherStore({ file: work.file, key: readFileSync(work.keyFile, "utf8").trim() }),
    flushEvery: work.flushEveryMs,
    onProblem: (problem) => problem && tell({ told: "problem", message: problem.message }),
  });
  const log = counted(openLog(work.logFile));
  const keys = work.servers.flatMap((server) => USERS.map((userId) => ({ userId, server })));
  const conversations = await Promise.all(
    keys.map(({ userId, server }) => converse(stats, log.event, userId, server, work.run)),
  );
  tell({ told: "sending", past: await messagesBefore(stats) });
  const stopSending = sendSteadily(conversations, work.messagesPerSecond, (n) => `${work.run}-${n}`);
  const telling = setInterval(
    () => tell({ told: "progress", out: log.of.attempted, in: log.of.received }),
    TELL_EVERY_MS,
  );

  return async function close() {
    stopSending();
    // Everything is sent within this process, so it knows when nothing is on its way any more.
    await until(() => log.of.sent === log.of.attempted && log.of.received === log.of.attempted);
    clearInterval(telling);
    await Promise.all(conversations.map(({ client }) => client.endAsync()));
    await stats.close();
  };
}

/** Connects one user to one server, counted from its first packet on. */
async function converse(
  stats: AgentStats,
  log: LogEvent,
  userId: string,
  server: string,
  run: number,
): Promise<Conversation> {
  const client = connect(server, { manualConnect: true, clientId: clientIdOf(userId, run), username: userId });
  countMqtt(client, stats.server(mqtt, userId, server), { messageId: (_topic, payload) => idIn(payload) });

  const seen = new Set<string>();
  client.on("message", (_topic, payload) => {
    const id = idIn(payload);
    log("received", userId, server);
    if (seen.has(id)) log("repeated", userId, server);
    seen.add(id);
  });
  client.on("error", (error) => tell({ told: "problem", message: error.message }));
  const connected = new Promise<void>((resolve) => client.once("connect", () => resolve()));
  client.connect();
  await connected;
  await client.subscribeAsync(topicOf(userId), { qos: 1 });

  const peer = USERS.find((other) => other !== userId) ?? userId;
  return {
    client,
    send(id) {
      if (!client.connected) return;
      log("attempted", userId, server);
      client.publish(topicOf(peer), `${id} hello ${peer}`, { qos: 1 }, (error) => {
        if (!error) log("sent", userId, server);
      });
    },
  };
}

function idIn(payload: Buffer): string {
  return payload.toString("utf8").split(" ", 1)[0] ?? "";
}

/** Sends in turn from all conversations, so many a second in all. Returns what stops it. */
function sendSteadily(
  conversations: readonly Conversation[],
  perSecond: number,
  idOf: (n: number) => string,
): () => void {
  const begun = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) / 1_000) * perSecond);
    for (; sent < due; sent++) {
      // Every so often the same conversation says its last message again.
      const n = sent % REPEAT_EVERY === REPEAT_EVERY - 1 ? sent - conversations.length : sent;
      conversations[n % conversations.length]?.send(idOf(n));
    }
  }, SEND_EVERY_MS);
  return () => clearInterval(timer);
}

/** How many messages went out and in before this run, out of the file: this run did not send them. */
async function messagesBefore(stats: AgentStats): Promise<number> {
  const { servers } = await stats.getServersStats();
  return servers.reduce((sum, { past }) => sum + (past.sendAttempts ?? 0) + (past.received ?? 0), 0);
}

/** The log, and how many of each event it holds. */
function counted(log: LogEvent) {
  const of: Record<HostEvent, number> = { attempted: 0, sent: 0, received: 0, repeated: 0 };
  const event: LogEvent = (name, userId, server) => {
    log(name, userId, server);
    of[name] += 1;
  };
  return { event, of };
}

async function until(isDone: () => boolean): Promise<void> {
  const deadline = performance.now() + SETTLE_WITHIN_MS;
  while (!isDone() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
}

function tell(told: HostTold): void {
  if (process.connected) process.send?.(told);
}

const leave = () => process.exit(1);
let close: (() => Promise<void>) | null = null;

process.on("message", (work: HostOrder) => {
  if (work.order === "throw") throw new Error("a bug in the host, made on purpose");
  void (work.order === "start" ? run(work) : leaveInPeace());
});
process.on("disconnect", leave);

async function run(work: HostWork): Promise<void> {
  close = await start(work);
}

async function leaveInPeace(): Promise<void> {
  await close?.();
  // With nothing left to do, the process ends by itself.
  process.off("disconnect", leave);
  process.disconnect();
}

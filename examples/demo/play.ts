import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Child, reasonOf, startChild } from "./children.ts";
import type { Evidence, Forgetting, KeyTruth, PageSearch, Reading, RunEvidence } from "./evidence.ts";
import type { Places } from "./folder.ts";
import { readLog } from "./log.ts";
import { decryptPages } from "./pages.ts";
import {
  BROKERS,
  clientIdOf,
  FORGOTTEN,
  ONE_SAVE_MS,
  type Plan,
  type RunPlan,
  serverOf,
  topicOf,
  USERS,
} from "./plan.ts";
import { searchFolder, searchPages } from "./search.ts";
import type { BrokerOrder, BrokerTold, HostOrder, HostTold, ReaderOrder, ReaderTold } from "./wire.ts";

type Broker = Child<BrokerOrder, BrokerTold>;
type Host = Child<HostOrder, HostTold>;

interface Served {
  readonly broker: Broker;
  readonly server: string;
}

/** Told what goes on. */
export interface Audience {
  brokersStarted(servers: readonly string[]): void;
  runProgress(
    run: RunPlan,
    progress: { readonly sentForMs: number; readonly messages: number; readonly past: number },
  ): void;
  runEnded(run: RunEvidence): void;
  forgetting(userId: string): void;
}

/** Plays everything and collects what is seen. Judges nothing. */
export async function play(plan: Plan, places: Places, audience: Audience): Promise<Evidence> {
  const brokers = await Promise.all(Array.from({ length: BROKERS }, startBroker));
  const servers = brokers.map(({ server }) => server);
  audience.brokersStarted(servers);

  // Counter names are searched for too: they would tell what is kept. A URL is found by its host and port.
  const names = [...USERS, ...servers.map(hostOf), ...USERS.map(topicOf), "sendAttempts", "duplicates"];
  const runs: RunEvidence[] = [];
  for (const run of plan.runs) {
    const seen = await playRun(run, plan, places, servers, audience);
    // As the run left them, with the write-ahead log of one that was killed: whoever opens the file next tidies up.
    const scan = searchFolder(places.statistics, names);
    const evidence = { ...seen, scan, truth: await truthOf(run.run, brokers, places), reading: await read(places) };
    runs.push(evidence);
    audience.runEnded(evidence);
  }

  const reading = runs.at(-1)?.reading;
  // The same data, as it would stand on a disk without encryption: the search must find what is there.
  const topics = Object.fromEntries(USERS.map((user) => [user, topicOf(user)]));
  writeFileSync(join(places.plaintext, "the-same.json"), JSON.stringify({ reading, topics }, null, 2));
  audience.forgetting(FORGOTTEN);
  return {
    flushEveryMs: plan.flushEveryMs,
    oneSaveMs: ONE_SAVE_MS,
    runs,
    names,
    control: searchFolder(places.plaintext, names),
    forgetting: await forget(places, servers, names),
  };
}

async function startBroker(): Promise<Served> {
  const broker: Broker = startChild("broker");
  const { port } = await broker.ask({ order: "start" }, "listening");
  return { broker, server: serverOf(port) };
}

const hostOf = (server: string): string => server.replace("mqtt://", "");

const logOf = (places: Places, run: number): string => join(places.plaintext, `host-log-of-run-${run}.txt`);

async function playRun(run: RunPlan, plan: Plan, places: Places, servers: readonly string[], audience: Audience) {
  const host: Host = startChild("host");
  let problem: string | null = null;
  host.onTold((told) => {
    if (told.told === "problem") problem = told.message;
  });
  const { flushEveryMs, messagesPerSecond } = plan;
  const { file, keyFile } = places;
  const work = {
    run: run.run,
    servers,
    messagesPerSecond,
    flushEveryMs,
    file,
    keyFile,
    logFile: logOf(places, run.run),
  };
  const { past } = await host.ask({ order: "start", ...work }, "sending");

  const begun = performance.now();
  const elapsedMs = () => Math.round(performance.now() - begun);
  host.onTold((told) => {
    if (told.told === "progress")
      audience.runProgress(run, { sentForMs: elapsedMs(), messages: told.out + told.in, past });
  });
  await new Promise((resolve) => setTimeout(resolve, run.sendForMs));

  const sentForMs = elapsedMs();
  const endedAt = Date.now();
  if (run.ending === "SIGKILL" || run.ending === "SIGTERM") host.kill(run.ending);
  else host.send({ order: run.ending === "exception" ? "throw" : "close" });
  const ended = await host.ended();
  if (problem !== null) throw new Error(`the host reported: ${problem} (${reasonOf(ended)})`);
  const exit = { code: ended.code, signal: ended.signal };
  return { run: run.run, ending: run.ending, sentForMs, endedAt, exit };
}

/** What happened in one run: each broker's tally and the host's log, brought together by user and server. */
async function truthOf(run: number, brokers: readonly Served[], places: Places): Promise<KeyTruth[]> {
  const nothing = { accepted: [], delivered: [], acknowledged: [] };
  const truths = brokers.map(async ({ broker, server }) => {
    const { tallies } = await broker.ask({ order: "tally" }, "tally");
    return USERS.map((userId) => {
      const tally = tallies.find((one) => one.userId === userId && one.clientId === clientIdOf(userId, run));
      return { userId, server, broker: tally?.times ?? nothing, host: readLog(logOf(places, run), userId, server) };
    });
  });
  return (await Promise.all(truths)).flat().sort((a, b) => USERS.indexOf(a.userId) - USERS.indexOf(b.userId));
}

async function withReader<K extends ReaderTold["told"]>(order: ReaderOrder, kind: K) {
  const reader: Child<ReaderOrder, ReaderTold> = startChild("reader");
  const told = await reader.ask(order, kind);
  await reader.ended();
  return told;
}

async function read({ file, keyFile }: Places): Promise<Reading> {
  return (await withReader({ order: "read", file, keyFile }, "reading")).reading;
}

async function forget(places: Places, servers: readonly string[], names: readonly string[]): Promise<Forgetting> {
  const before = look(places, servers);
  const { file, keyFile } = places;
  const { erased } = await withReader({ order: "forget", userId: FORGOTTEN, file, keyFile }, "forgotten");
  const after = look(places, servers);
  const scan = searchFolder(places.statistics, names);
  return { userId: FORGOTTEN, erased, before, after, scan, reading: await read(places) };
}

/** Only while no process has the file open: closing a second descriptor of it would free that process's locks. */
function look({ file, keyFile }: Places, servers: readonly string[]): PageSearch {
  const pages = decryptPages(file, readFileSync(keyFile, "utf8").trim());
  const stays = USERS.find((user) => user !== FORGOTTEN) ?? "";
  return searchPages(pages, { users: USERS, servers: servers.map(hostOf), stays });
}

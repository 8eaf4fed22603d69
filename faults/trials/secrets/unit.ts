/** One secrets unit: a host goes wrong in a process of its own, and everything that it leaves and says is searched. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { defineProtocol, openAgentStats } from "agent-stats";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { CANARIES, KEY, type Needle, searchCanaries } from "../../oracle/canary.ts";
import { DRIVERS, databaseClass, openWithKey } from "../../oracle/drivers.ts";
import { randomOf } from "../../random.ts";
import { searchOpenFiles } from "./open-files.ts";
import type { Order } from "./order.ts";
import { LOUDNESS, SCENARIOS, type Scenario } from "./scenarios.ts";

/** A part of the key is as bad as all of it. */
const NEEDLES: readonly Needle[] = [
  ...CANARIES,
  ...[KEY.slice(0, 24), KEY.slice(-24)].map((part) => ({ what: "a part of the key", bytes: Buffer.from(part) })),
];

export interface Seen {
  readonly scenario: string;
  readonly says: RegExp;
  readonly said: string;
  readonly crashes: boolean;
  readonly ended: string;
  readonly hits: readonly string[];
  readonly files: number;
  readonly bytes: number;
  /** Files that it had open while it ran, without names too. */
  readonly openFiles: number;
  /** In how many regions of its own memory it found a name; 0 where it did not look. */
  readonly regions: number;
}

const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 20;

export async function secretsUnit(seed: number, folder: string): Promise<Seen> {
  const random = randomOf(seed);
  const scenario = SCENARIOS[seed % SCENARIOS.length] as Scenario;
  const loud = random.pick(LOUDNESS);
  const home = join(folder, `unit-${seed}`);
  const file = join(home, "home", "stats.db");
  for (const name of ["home", "tmp", "reports"]) mkdirSync(join(home, name), { recursive: true });
  try {
    await prepare(scenario.name, file);
    const order: Order = {
      scenario: scenario.name,
      file,
      driver: random.pick(DRIVERS),
      thread: random.pick(["worker", "same"] as const),
    };
    const flags = [...loud.flags, `--report-directory=${join(home, "reports")}`];
    const { child, log } = start("secrets.child.js", [JSON.stringify(order)], home, loud.env, flags);
    const watched = await watch(child, home);
    const said = readFileSync(log, "utf8");
    const { hits, files, bytes } = searchCanaries(home, [], NEEDLES);
    return {
      scenario: scenario.name,
      says: scenario.says,
      said,
      crashes: scenario.crashes ?? false,
      ended: watched.ended,
      hits: [...hits.map(({ what, where }) => `${what} in ${where}`), ...watched.hits],
      files,
      bytes,
      openFiles: watched.files,
      regions: Number(/memory regions that hold a name: (\d+)/.exec(said)?.[1] ?? 0),
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function start(
  entry: string,
  args: readonly string[],
  home: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[],
) {
  const log = join(home, "said.log");
  const fd = openSync(log, "a");
  const temporary = join(home, "tmp");
  const path = fileURLToPath(new URL(`./${entry}`, import.meta.url));
  const child = spawn(process.execPath, [...flags, path, ...args], {
    env: { PATH: process.env.PATH ?? "", TMPDIR: temporary, SQLITE_TMPDIR: temporary, ...env },
    stdio: ["ignore", fd, fd, "ipc"],
    cwd: home,
  });
  closeSync(fd);
  return { child, log };
}

/** Looks again and again at what it has open, until it is gone. */
async function watch(child: ChildProcess, home: string) {
  let ended = "";
  const hits = new Set<string>();
  let files = 0;
  child.on("exit", (code, signal) => {
    ended = signal ?? `code ${code}`;
  });
  const patience = performance.now() + PATIENCE_MS;
  while (ended === "") {
    const found = searchOpenFiles(child.pid as number, NEEDLES, home);
    files += found.files;
    for (const what of found.hits) hits.add(`${what} in a file that was open`);
    await delay(LOOK_EVERY_MS);
    if (performance.now() > patience) child.kill("SIGKILL");
  }
  return { ended, files, hits: [...hits] };
}

/** What the scenario finds at its path. Names in it are not those that are searched for. */
async function prepare(scenario: string, file: string): Promise<void> {
  const other = "0d".repeat(32);
  if (scenario === "another key" || scenario === "a rejection of ours") await fill(file, other);
  if (scenario === "garbage") writeFileSync(file, Buffer.alloc(12_288, 7));
  if (scenario === "an empty file") writeFileSync(file, "");
  if (scenario === "a folder") mkdirSync(file);
  if (scenario === "no folder") rmSync(join(file, ".."), { recursive: true });
  if (scenario === "no encryption") {
    const plain = new (databaseClass("@signalapp/sqlcipher"))(file);
    plain.exec("CREATE TABLE of_somebody_else (a TEXT)");
    plain.close();
  }
  if (scenario === "a newer schema" || scenario === "a damaged page") await fill(file, KEY);
  if (scenario === "a newer schema") {
    const database = openWithKey(file);
    database.exec("UPDATE agent_stats_meta SET value = 1000 WHERE name = 'schema_version'");
    database.close();
  }
  if (scenario === "a damaged page") {
    const bytes = readFileSync(file);
    for (let page = 1; page * 4_096 < bytes.length; page++)
      bytes[page * 4_096 + 100] = (bytes[page * 4_096 + 100] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  }
}

async function fill(file: string, key: string): Promise<void> {
  const protocol = defineProtocol("other", { sent: "messages" });
  const stats = await openAgentStats({ protocols: [protocol], store: sqlcipherStore({ file, key }) });
  stats.server(protocol, "somebody", "smp://somewhere").add("sent");
  await stats.close();
}

/** The control: how many files without a name hold names, of a connection with `temp_store` set to this. */
export async function temporaryFiles(store: "FILE" | "MEMORY", folder: string): Promise<number> {
  const home = join(folder, `control-${store}`);
  mkdirSync(join(home, "tmp"), { recursive: true });
  const { child } = start("temporary.child.js", [join(home, "control.db"), store], home, {}, []);
  try {
    await new Promise((resolve, reject) => {
      child.once("message", resolve);
      child.once("exit", () => reject(new Error("the control ended too soon")));
    });
    return searchOpenFiles(child.pid as number, CANARIES, home).hits.length;
  } finally {
    child.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  }
}

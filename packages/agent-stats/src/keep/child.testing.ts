/** For tests of how a process ends: a real one, which counts into a real file and then ends in some way. */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import type { DriverName } from "../store/sqlcipher/drivers.ts";
import { KEY } from "../store/sqlcipher/files.testing.ts";

const require = createRequire(import.meta.url);
const urlOf = (name: string) => JSON.stringify(pathToFileURL(require.resolve(name)).href);

/** What a child has at hand. It runs on plain Node, so it imports what was built. */
const PRELUDE = `
  import { defineProtocol, keepStats, openAgentStats, readAgentStats, Recorder } from ${urlOf("agent-stats")};
  import { sqlcipherReader, sqlcipherStore } from ${urlOf("agent-stats/sqlcipher")};
  const { file, driver, key } = JSON.parse(process.argv[1]);
  const smp = defineProtocol("smp", { sent: "messages sent", errors: { help: "messages refused", error: true } });
  const store = () => sqlcipherStore({ file, key, driver });
  const open = (options) => openAgentStats({ protocols: [smp], store: store(), flushEvery: 60_000, ...options });
  const SERVERS = ["smp://a", "smp://b", "smp://c"];
  const count = (stats, n = 1000) => {
    const servers = SERVERS.map((server) => stats.server(smp, 1, server).counter("sent"));
    for (let i = 0; i < n; i++) servers[i % 3].add();
  };
  const stayAlive = () => setInterval(() => {}, 1000);
  const ready = () => process.stdout.write("ready\\n");
`;

export interface Child {
  readonly process: ChildProcess;
  /** When it has said "ready". */
  ready(): Promise<void>;
  /** When it has ended: its exit code, or the signal that it died of. */
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly stderr: string;
  }>;
}

/** Starts a child that runs this after the prelude. */
export function startChild(program: string, file: string, driver: DriverName): Child {
  const given = JSON.stringify({ file, driver, key: KEY });
  const child = spawn(process.execPath, ["--input-type=module", "--eval", PRELUDE + program, given], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stderr = text(child.stderr);
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve([code, signal]));
  });
  const ended = Promise.all([exit, stderr]).then(([[code, signal], said]) => ({ code, signal, stderr: said }));
  return {
    process: child,
    ended,
    ready: () =>
      new Promise((resolve, reject) => {
        child.stdout.on("data", (said: Buffer) => said.includes("ready") && resolve());
        ended.then(({ stderr: said }) => reject(new Error(`it ended before it was ready: ${said}`)), reject);
      }),
  };
}

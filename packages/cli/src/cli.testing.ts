import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AgentStats, defineProtocol, openAgentStats } from "agent-stats";
import { type DriverName, sqlcipherStore } from "agent-stats/sqlcipher";
import { onTestFinished } from "vitest";

export const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
export const MAIN = join(PACKAGE, "dist/main.js");

/** No pattern that any output could hold by chance. */
export const KEY = "d3a91c07e5b24f688210fa9b7c46e03d5e8f1b62a7c940d3186bf2507ae9c4d1";

/** The drivers that can run here. One of them crashes Node.js below 22, which nobody can catch. */
export const DRIVERS: readonly DriverName[] =
  Number(process.versions.node.split(".")[0]) >= 22
    ? ["@signalapp/sqlcipher", "better-sqlite3-multiple-ciphers"]
    : ["@signalapp/sqlcipher"];

/** A folder that is gone after the test, also where a reader that was let go opens its file a last time meanwhile. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "agent-stats-cli-"));
  // Not `rmSync`, which does not try again on Node.js 20.
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return path;
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Only what a program needs to run: no colour wishes, no options of the test runner. */
const ENV = { PATH: process.env.PATH ?? "", TZ: "UTC" };

/** Runs the built command as its users do. */
export async function agentStats(args: readonly string[], { input, env = {}, cwd }: RunOptions = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...ENV, ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  // A command that wants no input does not wait for it.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Runs a line of the shell, with `$1`, `$2`, … for what it is given. */
export function shell(line: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Outcome {
  const { status, signal, stdout, stderr } = spawnSync("sh", ["-c", line, "sh", ...args], {
    env: { ...ENV, ...env },
    encoding: "utf8",
    timeout: 20_000,
  });
  return { code: status, signal, stdout, stderr };
}

/** Every file below a folder and a digest of its bytes. */
export function bytesOf(path: string): Readonly<Record<string, string>> {
  const files = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile());
  const digest = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(path, name)))
      .digest("hex");
  return Object.fromEntries(files.map(({ name }) => [name, digest(name)]));
}

/** What is counted here. */
export const protocol = defineProtocol("chat", {
  sent: "messages sent",
  sendAttempts: { help: "messages tried", attemptsOf: "sent" },
  bytesSent: { help: "bytes sent", unit: "bytes" },
});
const other = defineProtocol("files", { uploads: "files uploaded", uploadBytes: "bytes uploaded" });

export const NEAR = "mqtts://near.example:8883";
export const FAR =
  "smp://0YuTwO05YJWS8rkjn9eLJDjQhFKvIYd8d4xG8X1blIU=@smp8.example,beccx4yfxxbvyhqypaavemqurytl6hozr.onion:5223";

export interface MakeOptions {
  readonly key?: string | { readonly passphrase: string };
  readonly driver?: DriverName;
}

/** Opens a database to count in it. */
export function counting(file: string, { key = KEY, driver }: MakeOptions = {}): Promise<AgentStats> {
  const store = sqlcipherStore(driver === undefined ? { file, key } : { file, key, driver });
  return openAgentStats({ store, protocols: [protocol, other], flushEvery: 2_500 });
}

/** What a session counts here: distinct numbers, so that no column can stand in for another. */
export function count(stats: AgentStats, factor: number): void {
  const near = stats.server(protocol, 1, NEAR);
  near.add("sent", 1009 * factor);
  near.add("sendAttempts", 1013 * factor);
  near.add("bytesSent", 1_234_567 * factor);
  stats.server(other, 1, NEAR).add("uploadBytes", 999_999 * factor);
  stats.server(protocol, 10, FAR).add("sent", 17 * factor);
  stats.server(protocol, 2, FAR).add("sent", 19 * factor);
}

/** A database with a session that ended well. */
export async function closedDatabase(file: string, options: MakeOptions = {}): Promise<void> {
  const stats = await counting(file, options);
  count(stats, 1);
  await stats.close();
}

/** A session of another process, which saves 7 and then kills itself without a goodbye. */
export function killedSession(file: string): void {
  const script = `
    import { defineProtocol, openAgentStats } from "agent-stats";
    import { sqlcipherStore } from "agent-stats/sqlcipher";
    const store = sqlcipherStore({ file: process.argv[1], key: process.argv[2] });
    const chat = defineProtocol("chat", { sent: "messages sent" });
    const stats = await openAgentStats({ store, protocols: [chat], flushEvery: 2500 });
    stats.server(chat, 1, ${JSON.stringify(NEAR)}).add("sent", 7);
    await stats.flush();
    process.kill(process.pid, "SIGKILL");`;
  const { signal, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script, file, KEY], {
    cwd: PACKAGE,
    env: ENV,
    encoding: "utf8",
  });
  if (signal !== "SIGKILL") throw new Error(`the session was not killed: ${stderr}`);
}

/** A folder with a database of two users and its key file. */
export async function database(make: (file: string) => Promise<void> = closedDatabase) {
  const path = folder();
  const db = join(path, "stats.db");
  await make(db);
  return { path, db, args: ["--db", db, "--key-file", keyFile(path)] };
}

/** The file of the key: by default one that nobody else can read. */
export function keyFile(path: string, content: string | Buffer = KEY, mode = 0o600): string {
  const file = join(path, "key");
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

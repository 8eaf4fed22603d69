import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { BrokerCalls } from "./broker.ts";
import { type Calls, callsOf, type Peer } from "./calls.ts";

/** On a busy machine a process takes seconds to start; longer than this means that something hangs. */
const PATIENCE_MS = 20_000;

/** A process that was started here. */
export interface Child<T extends Calls<T>> {
  readonly ask: Peer<T>["ask"];
  /** Resolves when it is gone, and its own children with it. */
  ended(): Promise<void>;
  /** SIGKILL, to it and its own children in the same moment, as systems end an app. */
  kill(): void;
  /** A signal to it alone. */
  signal(signal: NodeJS.Signals): void;
}

const running = new Set<ChildProcess>();

/** Ends every child at once, by its process id. It waits for nothing, as it runs while this process exits. */
export function endAllChildren(): void {
  for (const child of running) killWhole(child);
}

/**
 * Starts one of the examples' programs.
 *
 * @param path below `programs`, the folder of the built examples
 */
export function startChild<T extends Calls<T>>(path: string, programs: URL): Child<T> {
  const child = fork(fileURLToPath(new URL(path, programs)), [], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: [],
    // A process group of its own, so that it can be killed as a whole.
    detached: true,
  });
  running.add(child);
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  // A child's own children share its stderr, so it is closed, and this resolved, when the last of them is gone.
  const closed = once(child, "close").finally(() => running.delete(child));
  closed.catch(() => {});
  const peer = callsOf<T>(child);
  const told = (what: string) => `${path} ${what}${errors ? `: ${errors.trim()}` : ""}`;

  return {
    ask: (call, ...args) =>
      inTime(peer.ask(call, ...args), () => told(`did not answer ${call}`)).catch((error: Error) => {
        throw errors ? new Error(told(error.message)) : error;
      }),
    ended: async () => void (await inTime(closed, () => told("did not end"))),
    kill: () => killWhole(child),
    signal: (signal) => void child.kill(signal),
  };
}

function killWhole(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Where there are no process groups, or it is gone already. Its own children leave when it is gone.
    child.kill("SIGKILL");
  }
}

/** Starts brokers, each a process of its own. @returns their addresses */
export async function startBrokers(count: number, programs: URL): Promise<string[]> {
  const brokers = Array.from({ length: count }, () => startChild<BrokerCalls>("shared/broker.js", programs));
  const ports = await Promise.all(brokers.map((broker) => broker.ask("listen")));
  return ports.map((port) => `mqtt://127.0.0.1:${port}`);
}

async function inTime<T>(promise: Promise<T>, failure: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${failure()} within ${PATIENCE_MS / 1_000} s`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

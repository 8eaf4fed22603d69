import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openOutput } from "./outputs.ts";

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Sends a message, where the program takes orders. */
  send(order: object): void;
  onMessage(listener: (message: unknown) => void): void;
  readonly ended: Promise<Ended>;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts a program of the campaign, e.g. `child/life`, in a process of its own. All that it says goes to a file below
 * the folder.
 */
export function startChild(program: string, given: object, folder: string, { orders = false } = {}): Child {
  const said = openOutput(folder);
  const path = fileURLToPath(new URL(`./${program}.child.js`, import.meta.url));
  const child = spawn(process.execPath, [path, JSON.stringify(given)], {
    stdio: orders ? ["ignore", said.fd, said.fd, "ipc"] : ["ignore", said.fd, said.fd],
    env: { NODE_NO_WARNINGS: "1", CAMPAIGN_PID: String(process.pid) },
  });
  closeSync(said.fd);
  running.add(child);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  return {
    pid: child.pid as number,
    kill: (signal) => void child.kill(signal),
    send: (order) => void (child.connected && child.send(order, () => {})),
    onMessage: (listener) => void child.on("message", listener),
    ended,
  };
}

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

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

/** What processes say is kept in a folder of this name, where it is searched for secrets. */
const OUTPUTS = "outputs";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts a program of the campaign, e.g. `child/life`, in a process of its own. All that it says goes to a file below
 * the folder.
 */
export function startChild(program: string, given: object, folder: string, { orders = false } = {}): Child {
  mkdirSync(join(folder, OUTPUTS), { recursive: true });
  const said = openSync(join(folder, OUTPUTS, "said.txt"), "a");
  const path = fileURLToPath(new URL(`./${program}.child.js`, import.meta.url));
  const child = spawn(process.execPath, [path, JSON.stringify(given)], {
    stdio: orders ? ["ignore", said, said, "ipc"] : ["ignore", said, said],
    env: { NODE_NO_WARNINGS: "1", CAMPAIGN_PID: String(process.pid) },
  });
  closeSync(said);
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

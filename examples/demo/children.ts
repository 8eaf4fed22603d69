import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a child process ended, and what it wrote to stderr. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** A child process that takes orders and tells things. */
export interface Child<Order, Told extends { readonly told: string }> {
  send(order: Order): void;
  /** Gives an order and waits for the next thing of that kind that it tells. */
  ask<K extends Told["told"]>(order: Order, kind: K): Promise<Extract<Told, { readonly told: K }>>;
  /** Calls back for everything that it tells. */
  onTold(listener: (told: Told) => void): void;
  kill(signal: NodeJS.Signals): void;
  /** Waits for its end. */
  ended(): Promise<Ended>;
}

/** On a busy machine a process takes seconds to start; longer than this means that something hangs. */
const PATIENCE_MS = 20_000;

const running = new Set<ChildProcess>();

/** Ends every child at once, by its process id. It waits for nothing, as it runs while this process exits. */
export function endAllChildren(): void {
  for (const child of running) child.kill("SIGKILL");
}

export function startChild<Order extends object, Told extends { readonly told: string }>(
  program: "broker" | "host" | "reader",
): Child<Order, Told> {
  const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
  const child = fork(path, [], { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] });
  running.add(child);
  const end = endOf(child).finally(() => running.delete(child));
  // Whoever waits for the end hears of a failure; where nobody does, it must not end the conductor.
  end.catch(() => {});
  const listeners = new Set<(told: Told) => void>();
  child.on("message", (told) => {
    for (const listener of [...listeners]) listener(told as unknown as Told);
  });
  const send = (order: Order) => {
    // Of a child that is dead already, its end tells more than a failed write.
    if (child.connected) child.send(order, () => {});
  };

  return {
    send,
    async ask<K extends Told["told"]>(order: Order, kind: K) {
      type Wanted = Extract<Told, { readonly told: K }>;
      const answer = new Promise<Wanted>((resolve, reject) => {
        listeners.add((told) => {
          if (told.told === kind) resolve(told as Wanted);
        });
        end.then((how) => reject(new Error(`the ${program} ended before its answer: ${reasonOf(how)}`)), reject);
      });
      send(order);
      return inTime(answer, `the ${program} gave no answer`);
    },
    onTold: (listener) => void listeners.add(listener),
    kill: (signal) => void child.kill(signal),
    ended: () => inTime(end, `the ${program} did not end`),
  };
}

/** The line of a stack trace that says what happened, or else how the process ended. */
export function reasonOf({ code, signal, stderr }: Ended): string {
  return (
    stderr.split("\n").find((line) => /^\w*Error\b/.test(line)) ?? `it ended with ${signal ?? `exit code ${code}`}`
  );
}

function endOf(child: ChildProcess): Promise<Ended> {
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stderr }));
  });
}

async function inTime<T>(promise: Promise<T>, failure: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${failure} within ${PATIENCE_MS / 1_000} seconds`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

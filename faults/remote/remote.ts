/**
 * A process under test, as the campaign sees it: called across its channel, frozen, killed. What it says goes to a file
 * in the trial's folder, where it is searched for canaries like every other file.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openOutput, saidIn } from "../outputs.ts";
import type { Answer, Call, Thrown } from "./answer.ts";

export interface RemoteOptions {
  /** The program: it calls `answerCalls`. */
  readonly entry: URL;
  /** The trial's folder: what the process says is kept in it, and its temporary files are made in it. */
  readonly folder: string;
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly execArgv?: readonly string[];
}

export interface Remote {
  readonly pid: number;
  /** Asks it. Rejects with a {@link RemoteError} for what it threw, when it died, or when it did not answer in time. */
  call<T>(name: string, given?: unknown, patienceMs?: number): Promise<T>;
  /** Stops every thread of it, and has it stopped when this returns. Throws where it does not stop. */
  freeze(): void;
  thaw(): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Lets it end by itself, as its channel closes. */
  end(): Promise<void>;
  /** Everything it has said so far. */
  said(): string;
}

/** What went wrong in another process. `hang` and `died` are codes of its own. */
class RemoteError extends Error {
  override readonly name = "RemoteError";
  constructor(
    readonly thrown: Thrown,
    readonly code = thrown.code ?? thrown.name,
  ) {
    super(`${thrown.name}${thrown.code ? ` ${thrown.code}` : ""}: ${thrown.message}`);
  }
}

/** Longer than anything takes on a busy machine: who has not answered by then, hangs. */
const PATIENCE_MS = 60_000;

export function startRemote({ entry, folder, name, env = {}, execArgv = [] }: RemoteOptions): Remote {
  const temporary = join(folder, "tmp");
  mkdirSync(temporary, { recursive: true });
  const { fd } = openOutput(folder, name);
  const child = spawn(process.execPath, [...execArgv, fileURLToPath(entry)], {
    env: { PATH: process.env.PATH ?? "", TZ: "UTC", TMPDIR: temporary, SQLITE_TMPDIR: temporary, ...env },
    stdio: ["ignore", fd, fd, "ipc"],
    serialization: "advanced",
  });
  closeSync(fd);
  return remoteOf(child, () => saidIn(folder, name));
}

function remoteOf(child: ChildProcess, said: () => string): Remote {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let lastId = 0;
  let fate: RemoteError | null = null;
  const gone = new Promise<void>((resolve) => {
    const ended = (how: string) => {
      fate ??= new RemoteError({ name: "Process", message: `ended by ${how}` }, "died");
      for (const { reject } of waiting.values()) reject(fate);
      waiting.clear();
      resolve();
    };
    child.on("error", (error) => ended(error.message));
    child.on("exit", (code, signal) => ended(signal ?? `exit code ${code}`));
  });
  child.on("message", (answer: Answer) => {
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.ok) call?.resolve(answer.value);
    else call?.reject(new RemoteError(answer.thrown));
  });
  const pid = child.pid ?? -1;
  return {
    pid,
    said,
    call: <T>(name: string, given: unknown = null, patienceMs = PATIENCE_MS) =>
      new Promise<T>((resolve, reject) => {
        if (fate) return reject(fate);
        const id = ++lastId;
        const timer = setTimeout(() => {
          fate = new RemoteError({ name: "Process", message: `${name} had no answer in ${patienceMs} ms` }, "hang");
          child.kill("SIGKILL");
        }, patienceMs);
        const settled = <A>(then: (value: A) => void) => {
          return (value: A) => {
            clearTimeout(timer);
            then(value);
          };
        };
        waiting.set(id, { resolve: settled(resolve as (value: unknown) => void), reject: settled(reject) });
        child.send({ id, name, given } satisfies Call, () => {});
      }),
    freeze() {
      child.kill("SIGSTOP");
      waitUntilStopped(pid, () => fate?.message ?? "it runs");
    },
    thaw: () => void child.kill("SIGCONT"),
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
    async end() {
      if (child.connected) child.disconnect();
      await gone;
    },
  };
}

/** A signal is delivered when its time comes: the files stand still only when the last thread does. */
function waitUntilStopped(pid: number, fate: () => string): void {
  const begun = performance.now();
  for (;;) {
    const states = statesOf(pid);
    if (states.length > 0 && states.every((state) => state === "T")) return;
    if (states.every((state) => state === "Z") || performance.now() - begun > STOPS_WITHIN_MS) {
      throw new Error(`a process could not be stopped: its threads are at ${states.join("") || "no end"}, ${fate()}`);
    }
    // It needs the processor for that.
    Atomics.wait(PAUSE, 0, 0, PAUSE_MS);
  }
}

/** A thread that waits for the disk is stopped when it has it. */
const STOPS_WITHIN_MS = 30_000;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
const PAUSE_MS = 0.1;

/** What each of its threads does, as Linux tells: `T` is stopped. Nothing where there is no such process, or no /proc. */
function statesOf(pid: number): string[] {
  return valueOr([], () => readdirSync(`/proc/${pid}/task`)).flatMap((task) => {
    // A thread that ends between the two looks is no thread any more.
    const stat = valueOr("", () => readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8"));
    return stat.slice(stat.lastIndexOf(")") + 2)[0] ?? [];
  });
}

function valueOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { StatsError, type StatsErrorCode } from "../errors.ts";
import { SqliteCalls } from "../sqlite/calls.ts";
import { statsErrorOf } from "../sqlite/handle.ts";
import type { StoreCalls } from "../store.ts";
import { type DriverName, loadDriver } from "./drivers.ts";
import { type FileOptions, openFile } from "./file.ts";

/** What the worker is started with. */
export interface WorkerData {
  readonly options: FileOptions & { readonly driver: DriverName | undefined };
  /** Answers to calls that the main thread waits for, blocked. */
  readonly answers: MessagePort;
  /** How many such answers were posted. */
  readonly answered: Int32Array;
}

export interface Call {
  readonly id: number;
  readonly method: keyof StoreCalls;
  readonly args: readonly unknown[];
  /** True where the main thread is blocked until the answer. */
  readonly now: boolean;
}

export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      readonly code: StatsErrorCode;
      readonly message: string;
      readonly cause: unknown;
    };

/** An error loses its class on the way between threads. */
export function errorOf(answer: Extract<Answer, { ok: false }>): StatsError {
  return new StatsError(answer.code, answer.message, { cause: answer.cause });
}

const port = parentPort;
if (port) {
  const { options, answers, answered } = workerData as WorkerData;
  const calls = new SqliteCalls(() => openFile(loadDriver(options.driver), options));
  port.on("message", (call: Call) => {
    const answer = answerTo(calls, call);
    if (!call.now) return port.postMessage(answer);
    answers.postMessage(answer);
    Atomics.add(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
}

function answerTo(calls: StoreCalls, { id, method, args }: Call): Answer {
  try {
    const value = (calls[method] as (...args: readonly unknown[]) => unknown).apply(calls, args as unknown[]);
    return { id, ok: true, value };
  } catch (error) {
    const { code, message, cause } = statsErrorOf(error);
    return { id, ok: false, code, message, cause };
  }
}

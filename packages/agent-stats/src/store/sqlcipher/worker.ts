import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { StatsErrorCode } from "../errors.ts";
import { answerOf } from "../methods.ts";
import { statsErrorOf } from "../sqlite/handle.ts";
import type { Part } from "../sqlite/parts.ts";
import { withStandIn } from "../stand-in.ts";
import type { Announcement, StoreCalls } from "../store.ts";
import { type CallsOptions, fileCalls } from "./calls.ts";

/** What the worker is started with. */
export interface WorkerData {
  /** Answers to calls that the main thread waits for, blocked. The options of the store wait there when it starts. */
  readonly answers: MessagePort;
  /** How many such answers were posted. */
  readonly answered: Int32Array;
  /** Not zero once the process ends: nobody waits any more for what is answered later. */
  readonly ending: Int32Array;
}

export interface Call {
  readonly id: number;
  readonly method: keyof StoreCalls;
  readonly args: readonly unknown[];
  /** True where the main thread is blocked until the answer. */
  readonly now: boolean;
}

/** Counters that this thread may have to save by itself. Nobody waits for an answer. */
export interface News {
  readonly news: Announcement;
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

/** Comes before the answer, where that is long. */
export interface AnswerPart {
  readonly id: number;
  readonly part: Part;
}

const port = parentPort;
if (port) {
  const { answers, answered, ending } = workerData as WorkerData;
  const { sqlite, calls: ofFile } = fileCalls(receiveMessageOnPort(answers)?.message as CallsOptions);
  const { calls, hear } = withStandIn(ofFile);
  port.on("message", (call: Call | News) => {
    if ("news" in call) return hear(call.news);
    if (!call.now && Atomics.load(ending, 0) !== 0) return;
    const to = call.now ? answers : port;
    const put = (part: Part) => to.postMessage({ id: call.id, part } satisfies AnswerPart);
    const answer = answerTo(call, (method, args) => sqlite.inParts(method, args, put) ?? answerOf(calls)(method, args));
    if (!call.now) return port.postMessage(answer);
    answers.postMessage(answer);
    Atomics.add(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
}

function answerTo({ id, method, args }: Call, answer: ReturnType<typeof answerOf>): Answer {
  try {
    return { id, ok: true, value: answer(method, args) };
  } catch (error) {
    const { code, message, cause } = statsErrorOf(error);
    return { id, ok: false, code, message, cause };
  }
}

/**
 * The smallest way for two processes, or two threads, to call each other's functions. It shares its channel with the
 * messages of agent-stats: each of the two ignores what is not its own.
 */

import type { ChannelLike } from "agent-stats";

/** A worker or its `parentPort`, a child process or the `process` of one. */
type Channel = Pick<ChannelLike, "postMessage" | "send" | "on">;

/** Functions that the other side may call. What they take and give is copied. */
export type Calls<T> = { readonly [K in keyof T]: (...args: never[]) => unknown };

interface Call {
  readonly call: string;
  readonly id: number;
  readonly args: readonly never[];
}

type Answer = { readonly answer: number } & ({ readonly value: unknown } | { readonly error: string });

export interface Peer<T extends Calls<T>> {
  /** Calls a function there, and waits for what it gives. Fails when it throws there, or when that side is gone. */
  ask<K extends keyof T & string>(call: K, ...args: Parameters<T[K]>): Promise<Awaited<ReturnType<T[K]>>>;
}

/** Lets the other side of the channel call these functions. */
export function serveCalls<T extends Calls<T>>(channel: Channel, functions: T): void {
  const serve = async ({ call, id, args }: Call) => {
    try {
      const value = await functions[call as keyof T](...args);
      post(channel, { answer: id, value });
    } catch (error) {
      post(channel, { answer: id, error: error instanceof Error ? error.message : String(error) });
    }
  };
  channel.on?.("message", (message) => {
    if (isObject(message) && "call" in message) void serve(message as unknown as Call);
  });
}

/** The functions on the other side of the channel. */
export function callsOf<T extends Calls<T>>(channel: Channel): Peer<T> {
  const waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  let lastId = 0;
  let gone: Error | null = null;

  channel.on?.("message", (message) => {
    if (!isObject(message) || !("answer" in message)) return;
    const answer = message as unknown as Answer;
    const asked = waiting.get(answer.answer);
    waiting.delete(answer.answer);
    if ("error" in answer) asked?.reject(new Error(answer.error));
    else asked?.resolve(answer.value as never);
  });
  const fail = (error: Error) => {
    gone ??= error;
    for (const { reject } of waiting.values()) reject(gone);
    waiting.clear();
  };
  channel.on?.("error", (error) => fail(error instanceof Error ? error : new Error(String(error))));
  channel.on?.("exit", () => fail(new Error("the other side ended before its answer")));

  return {
    ask: (call, ...args) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(gone);
        lastId += 1;
        waiting.set(lastId, { resolve, reject });
        post(channel, { call, id: lastId, args });
      }),
  };
}

function post(channel: Channel, message: Call | Answer | { call: string; id: number; args: unknown[] }): void {
  if (channel.postMessage) channel.postMessage(message);
  else channel.send?.(message as never);
}

function isObject(given: unknown): given is object {
  return typeof given === "object" && given !== null;
}

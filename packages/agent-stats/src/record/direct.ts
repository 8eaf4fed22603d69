import type { ChannelLike } from "./port.ts";
import type { Recorded } from "./recorder.ts";

/** How long an ending process waits for an agent in another thread: one that is busy is not waited for. */
const ANSWER_WITHIN_MS = 500;

/** What is used of Node's module for threads. Where it cannot be had, as in a browser, there is no direct line. */
interface Threads {
  readonly threadId: number;
  readonly MessageChannel: new () => { readonly port1: DirectPort; readonly port2: DirectPort };
  readonly MessagePort: new () => unknown;
  readonly Worker: new () => unknown;
  receiveMessageOnPort(port: DirectPort): { readonly message: unknown } | undefined;
}

interface DirectPort {
  postMessage(message: unknown): void;
  on(event: "message", listener: () => void): unknown;
  unref(): void;
  close(): void;
}

/** Sent once by the host: a port of its own, and shared memory that tells of answers on it. */
interface Offer {
  readonly agentStats: "direct";
  readonly thread: number;
  readonly port: DirectPort;
  /** How many answers were posted; the first of them, without a question, says that there is somebody. */
  readonly answers: Int32Array;
}

/** A line to an agent in another thread of this process, for a host that is ending and can await nothing. */
export interface DirectLine {
  /** Everything that the agent counted, as it sends it; null where it does not answer in time. Blocks. */
  ask(): unknown;
  close(): void;
}

/** Opens one, where the channel leads to another thread of this process. */
export function openDirectLine(channel: ChannelLike): DirectLine | null {
  const threads = threadsOf(globalThis.process);
  if (!threads || !(channel instanceof threads.Worker || channel instanceof threads.MessagePort)) return null;
  const { port1, port2 } = new threads.MessageChannel();
  const answers = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const offer: Offer = { agentStats: "direct", thread: threads.threadId, port: port2, answers };
  try {
    channel.postMessage?.(offer, [port2] as never);
  } catch {
    return null;
  }
  port1.unref();
  return {
    ask() {
      const answered = Atomics.load(answers, 0);
      // An agent of another version, or in this very thread, did not take it up.
      if (answered === 0) return null;
      port1.postMessage("get");
      Atomics.wait(answers, 0, answered, ANSWER_WITHIN_MS);
      let newest: unknown = null;
      for (let got = threads.receiveMessageOnPort(port1); got; got = threads.receiveMessageOnPort(port1)) {
        newest = got.message;
      }
      return newest;
    },
    close: () => port1.close(),
  };
}

/** The agent's end: answers on the port that a host in another thread offers. False where the message is no offer. */
export function takeUpDirectLine(message: unknown, stats: () => Recorded): boolean {
  if (!isOffer(message)) return false;
  const { port, answers, thread } = message;
  // Nobody in this thread could answer while it waits.
  if (threadsOf(globalThis.process)?.threadId === thread) return true;
  const say = () => {
    Atomics.add(answers, 0, 1);
    Atomics.notify(answers, 0);
  };
  port.on("message", () => {
    port.postMessage(stats());
    say();
  });
  port.unref();
  say();
  return true;
}

function isOffer(message: unknown): message is Offer {
  const given = message as Partial<Offer> | null;
  return (
    typeof given === "object" &&
    given?.agentStats === "direct" &&
    given.answers instanceof Int32Array &&
    typeof given.port?.on === "function"
  );
}

function threadsOf(host: { getBuiltinModule?(name: string): unknown } | undefined): Threads | null {
  return (host?.getBuiltinModule?.("node:worker_threads") as Threads | undefined) ?? null;
}

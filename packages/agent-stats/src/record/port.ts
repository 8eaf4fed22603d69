import { assertFunctions, assertGiven, isObject } from "./given.ts";

/** A channel of plain messages to the other side. */
export interface StatsPort {
  post(message: unknown): void;
  /** Calls back with each message, and once when the other side is gone. */
  listen(onMessage: (message: unknown) => void, onGone: () => void): void;
  /** Lets a process end although we listen, or keeps it from it while an answer is awaited. */
  ref(needed: boolean): void;
}

/**
 * What a message channel looks like, as far as it matters here: a `MessagePort`, a `Worker` or its `parentPort`, a
 * `ChildProcess` or the `process` of one, an Electron utility process, a `WebSocket` (the browser's, or that of `ws`).
 */
export interface ChannelLike {
  postMessage?(message: unknown, transfer?: never): void;
  send?(message: never, done?: never): unknown;
  on?(event: string, listener: (value: unknown) => void): unknown;
  addEventListener?(event: string, listener: (event: unknown) => void): unknown;
  listenerCount?(event: string): number;
  start?(): void;
  // Those of `process` are of another kind, and harmless without an argument.
  ref?(nothing?: undefined): void;
  unref?(nothing?: undefined): void;
  readonly channel?: { ref?(): void; unref?(): void } | null | undefined;
  /** A `Worker` has it: there `unref` would let the host end although its worker works. */
  terminate?(): unknown;
  readonly readyState?: unknown;
}

const OPEN = 1;

/**
 * Any such channel, behind one face. Posting to one that is gone does nothing: that is told by `onGone`.
 *
 * @throws TypeError when it is no object, or has something else under the name of a method
 */
export function portOf(channel: ChannelLike): StatsPort {
  assertGiven(isObject(channel as unknown), "channel must be a port, a process or a socket");
  assertFunctions(channel, "on", "addEventListener", "start", "listenerCount", "ref", "unref");
  const isSocket = channel.postMessage === undefined && channel.readyState !== undefined;
  let isShared = channel.terminate !== undefined;
  let isNeeded = false;
  return {
    post(message) {
      try {
        if (channel.postMessage) channel.postMessage(message);
        // Without a listener of its own, a failure would be an error of the host's channel.
        else if (!isSocket) channel.send?.(message as never, (() => {}) as never);
        else if (channel.readyState === OPEN) channel.send?.(JSON.stringify(message) as never);
        else channel.addEventListener?.("open", () => channel.send?.(JSON.stringify(message) as never));
      } catch {
        // It went away between two messages.
      }
    },
    listen(onMessage, onGone) {
      const heard = (given: unknown) => onMessage(isSocket ? parsed(given) : dataOf(given));
      if (channel.on && !isSocket) {
        channel.on("message", heard);
        for (const event of ["close", "exit", "disconnect"]) channel.on(event, onGone);
        channel.on("newListener", (event) => {
          if (event !== "message") return;
          this.ref(true);
          isShared = true;
        });
      } else {
        channel.addEventListener?.("message", (event) => heard((event as { data: unknown }).data));
        // An error is always followed by its end; unheard, it would end the process.
        channel.addEventListener?.("error", () => {});
        channel.addEventListener?.("close", onGone);
      }
      channel.start?.();
      // When whoever opens the channel has had the time to listen too.
      queueMicrotask(() => this.ref(isNeeded));
    },
    ref(needed) {
      isNeeded = needed;
      // A channel that others listen to as well is theirs to keep open.
      isShared ||= (channel.listenerCount?.("message") ?? 0) > 1;
      if (isShared) return;
      const target = channel.channel ?? channel;
      if (needed) target.ref?.();
      else target.unref?.();
    },
  };
}

/** What Electron wraps in an event on some of its ports. */
function dataOf(given: unknown): unknown {
  const event = given as { data?: unknown; ports?: unknown } | null | undefined;
  return Array.isArray(event?.ports) ? event.data : given;
}

function parsed(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return null;
  }
}

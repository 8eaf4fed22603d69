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
  postMessage?(message: unknown): void;
  send?(message: never): unknown;
  on?(event: string, listener: (...args: never[]) => void): unknown;
  addEventListener?(event: string, listener: (event: never) => void): unknown;
  listenerCount?(event: string): number;
  start?(): void;
  ref?(): void;
  unref?(): void;
  readonly channel?: { ref?(): void; unref?(): void } | null | undefined;
  /** A `Worker` has it: there `unref` would let the host end although its worker works. */
  terminate?(): unknown;
  readonly readyState?: unknown;
}

const OPEN = 1;

/** Any such channel, behind one face. Posting to one that is gone does nothing: that is told by `onGone`. */
export function portOf(channel: ChannelLike): StatsPort {
  const isSocket = channel.postMessage === undefined && channel.readyState !== undefined;
  // A channel that others listen to as well is theirs to keep open.
  let isOurs = channel.terminate === undefined && !channel.listenerCount?.("message");
  return {
    post(message) {
      try {
        if (channel.postMessage) channel.postMessage(message);
        else if (!isSocket) channel.send?.(message as never);
        else if (channel.readyState === OPEN) channel.send?.(JSON.stringify(message) as never);
        else channel.addEventListener?.("open", () => channel.send?.(JSON.stringify(message) as never));
      } catch {
        // It went away between two messages.
      }
    },
    listen(onMessage, onGone) {
      const heard = (given: unknown) => onMessage(isSocket ? parsed(given) : given);
      if (channel.on && !isSocket) {
        channel.on("message", heard as never);
        // An error is always followed by one of the others; unheard, it would end the process.
        channel.on("error", (() => {}) as never);
        for (const event of ["close", "exit", "disconnect"]) channel.on(event, onGone as never);
        channel.on("newListener", ((event: string) => {
          if (event !== "message") return;
          this.ref(true);
          isOurs = false;
        }) as never);
      } else {
        channel.addEventListener?.("message", ((event: { data: unknown }) => heard(event.data)) as never);
        channel.addEventListener?.("error", () => {});
        channel.addEventListener?.("close", onGone);
        channel.start?.();
      }
      this.ref(false);
    },
    ref(needed) {
      if (!isOurs) return;
      const target = channel.channel ?? channel;
      if (needed) target.ref?.();
      else target.unref?.();
    },
  };
}

function parsed(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return null;
  }
}

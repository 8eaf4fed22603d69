/** What is needed of a WebSocket: that of browsers and of Node.js from 22 on is one, and that of `ws`. */
export interface WebSocketLike {
  addEventListener(type: "open" | "close" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  send(data: string): void;
  close(): void;
  /** `ws` has it: without, a core that hangs keeps the closing connection, and the process, for half a minute. */
  terminate?(): void;
}

export type WebSocketClass = new (url: string) => WebSocketLike;

/** A core that did not answer, or not with what was asked for. It holds nothing of the answer. */
export class SimplexCoreError extends Error {
  override readonly name = "SimplexCoreError";
  readonly code = "SIMPLEX_CORE";
}

/** What a core answered to a command: its type, and all of it. */
export interface CoreAnswer {
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Waiting {
  resolve(answer: CoreAnswer): void;
  reject(error: SimplexCoreError): void;
}

/** Numbers go on over all connections: an answer that comes too late, by whatever way, is never taken for another one. */
let lastId = 0;

/** One connection to the WebSocket of `simplex-chat -p`. Its events are ignored. */
export class CoreConnection {
  isOver = false;
  readonly #socket: WebSocketLike;
  readonly #waiting = new Map<string, Waiting>();
  /** A socket that hangs can take long to say that it is closed. */
  #onOver: () => void = () => {};

  private constructor(socket: WebSocketLike) {
    this.#socket = socket;
  }

  /** @throws SimplexCoreError when there is no connection within that time */
  static open(url: string, WebSocket: WebSocketClass, withinMs: number, signal?: AbortSignal): Promise<CoreConnection> {
    return new Promise((resolve, reject) => {
      let socket: WebSocketLike;
      try {
        socket = new WebSocket(url);
      } catch {
        reject(new SimplexCoreError("this is no address of a WebSocket"));
        return;
      }
      const connection = new CoreConnection(socket);
      const timer = setTimeout(() => connection.close("the core does not answer"), withinMs);
      const stop = () => connection.close();
      signal?.addEventListener("abort", stop);
      const over = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
        connection.#over("the connection to the core ended");
        reject(new SimplexCoreError("there is no connection to the core"));
      };
      connection.#onOver = over;
      socket.addEventListener("open", () => {
        clearTimeout(timer);
        resolve(connection);
      });
      socket.addEventListener("message", ({ data }) => connection.#heard(data));
      socket.addEventListener("close", over);
      // What is closed before it is open says only this.
      socket.addEventListener("error", over);
    });
  }

  /** The answer to a command. @throws SimplexCoreError when none comes within that time; the connection is then closed */
  ask(command: string, withinMs: number): Promise<CoreAnswer> {
    return new Promise((resolve, reject) => {
      if (this.isOver) {
        reject(new SimplexCoreError("the connection to the core ended"));
        return;
      }
      lastId += 1;
      const corrId = String(lastId);
      const timer = setTimeout(() => this.close("the core does not answer"), withinMs);
      const done = <T>(then: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer);
          this.#waiting.delete(corrId);
          then(value);
        };
      };
      this.#waiting.set(corrId, { resolve: done(resolve), reject: done(reject) });
      try {
        this.#socket.send(JSON.stringify({ corrId, cmd: command }));
      } catch {
        this.close("the connection to the core ended");
      }
    });
  }

  close(why = "the connection was closed"): void {
    try {
      if (this.#socket.terminate) this.#socket.terminate();
      else this.#socket.close();
    } catch {
      // It was not open yet, or is closed already.
    }
    this.#over(why);
    this.#onOver();
  }

  #over(why: string): void {
    this.isOver = true;
    for (const { reject } of [...this.#waiting.values()]) reject(new SimplexCoreError(why));
  }

  /** What bears no id of ours is an event, or an answer that nobody waits for any more. */
  #heard(data: unknown): void {
    const message = parsed(data);
    const waiting = typeof message?.corrId === "string" ? this.#waiting.get(message.corrId) : undefined;
    if (!waiting) return;
    const answer = answerOf(message?.resp);
    if (answer) waiting.resolve(answer);
    else waiting.reject(new SimplexCoreError("the core's answer cannot be read"));
  }
}

/** Newer cores wrap an answer in `Right`, and an error in `Left`. */
function answerOf(resp: unknown): CoreAnswer | null {
  if (!isObject(resp)) return null;
  const body = Object.hasOwn(resp, "Right") ? resp.Right : Object.hasOwn(resp, "Left") ? resp.Left : resp;
  if (!isObject(body)) return null;
  const isLeft = body === resp.Left;
  return typeof body.type === "string" || isLeft ? { type: isLeft ? "error" : String(body.type), body } : null;
}

function parsed(data: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof data !== "string") return null;
  try {
    const message: unknown = JSON.parse(data);
    return isObject(message) ? message : null;
  } catch {
    return null;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

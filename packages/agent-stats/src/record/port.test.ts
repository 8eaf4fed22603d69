/** Every kind of channel behind one face: what is said, what is heard, and who keeps the process alive. */
import { EventEmitter } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { type ChannelLike, portOf } from "./port.ts";

const HELLO = { agentStats: "get", id: 1 };

/** A channel of Node's that tells what was done to it: a port, the parent of a worker, or a worker itself. */
function emitter(more: object = {}) {
  const done: string[] = [];
  const channel = Object.assign(new EventEmitter(), {
    postMessage: (message: unknown) => void done.push(JSON.stringify(message)),
    ref: () => void done.push("ref"),
    unref: () => void done.push("unref"),
    ...more,
  });
  return { channel, done };
}

/** A socket that tells what was sent. */
class PlayedSocket extends EventTarget {
  readonly sent: unknown[] = [];
  constructor(public readyState: number) {
    super();
  }
  send(...given: unknown[]): void {
    this.sent.push(...given);
  }
}

function heardOn(channel: ChannelLike) {
  const heard: unknown[] = [];
  const port = portOf(channel);
  port.listen(
    (message) => heard.push(message),
    () => heard.push("gone"),
  );
  return { port, heard };
}

describe("what is said", () => {
  test("is posted as it is where there is a port, also one that has more than that", () => {
    const { channel, done } = emitter({ readyState: 0, send: () => expect.unreachable("it has a port") });
    portOf(channel).post(HELLO);
    expect(done).toEqual([JSON.stringify(HELLO)]);
  });

  test("is sent as it is to a process, with a way to hear of a failure: else that would be an error of the host's", () => {
    const send = vi.fn();
    portOf({ send }).post(HELLO);
    const [[message, failed]] = send.mock.calls as [[unknown, (error: Error) => void]];
    expect(message).toBe(HELLO);
    expect(failed(new Error("the other end is gone"))).toBeUndefined();
  });

  test("is text on a socket: at once where it is open, else as soon as it is", () => {
    const [open, opening] = [new PlayedSocket(1), new PlayedSocket(0)];
    for (const socket of [open, opening]) portOf(socket).post(HELLO);
    expect([open.sent, opening.sent]).toEqual([[JSON.stringify(HELLO)], []]);
    opening.dispatchEvent(new Event("open"));
    expect(opening.sent).toEqual([JSON.stringify(HELLO)]);
  });

  test("is lost, and throws nothing, where the channel is gone or has no way to say it", () => {
    const gone = () => {
      throw new Error("closed");
    };
    for (const channel of [
      { postMessage: gone },
      { send: gone },
      { send: gone, readyState: 1 },
      {},
      { readyState: 0 },
      { readyState: 1 },
    ]) {
      expect(() => portOf(channel).post(HELLO)).not.toThrow();
    }
  });
});

describe("what is heard", () => {
  test("of a port of Node's: each message, and each way in which it can end", () => {
    const { channel } = emitter({ readyState: 1, addEventListener: () => expect.unreachable("it is no socket") });
    const { heard } = heardOn(channel);
    channel.emit("message", HELLO);
    for (const end of ["close", "exit", "disconnect", "open"]) channel.emit(end);
    expect(heard).toEqual([HELLO, "gone", "gone", "gone"]);
    // Its errors are its owner's to hear.
    expect(channel.listenerCount("error")).toBe(0);
  });

  test("of a port of a browser's: what its events carry", () => {
    const { port1, port2 } = new globalThis.MessageChannel();
    port1.close();
    const target = Object.assign(new EventTarget(), { postMessage: () => {}, start: vi.fn() });
    const { heard } = heardOn(target);
    target.dispatchEvent(Object.assign(new Event("message"), { data: HELLO }));
    target.dispatchEvent(new Event("close"));
    expect([heard, target.start.mock.calls.length]).toEqual([[HELLO, "gone"], 1]);
    port2.close();
  });

  test("of a socket, also one that is an emitter as well: text, which may be none; its errors go no further", () => {
    const socket = Object.assign(new PlayedSocket(1), { on: () => expect.unreachable("it is a socket") });
    const listens = vi.spyOn(socket, "addEventListener");
    const { heard } = heardOn(socket);
    for (const data of [JSON.stringify(HELLO), Buffer.from("5"), "{", undefined]) {
      socket.dispatchEvent(Object.assign(new Event("message"), { data }));
    }
    socket.dispatchEvent(new Event("close"));
    expect(heard).toEqual([HELLO, 5, null, null, "gone"]);
    expect(listens.mock.calls.map(([event]) => event)).toEqual(["message", "error", "close"]);
    const [, [, onError]] = listens.mock.calls as unknown as [unknown, [string, () => unknown]];
    expect(onError()).toBeUndefined();
  });

  test.each<[what: string, given: unknown, message: unknown]>([
    ["an event of Electron's is opened", { data: HELLO, ports: [] }, HELLO],
    ["a message that has data of its own is left as it is", { data: HELLO }, { data: HELLO }],
    ["so is one whose ports are something else", { data: HELLO, ports: 7 }, { data: HELLO, ports: 7 }],
    ["nothing is nothing", null, null],
    ["and so is less", undefined, undefined],
  ])("%s", (_what, given, message) => {
    const { channel } = emitter();
    const { heard } = heardOn(channel);
    channel.emit("message", given);
    expect(heard).toEqual([message]);
  });

  test("nowhere, where a channel cannot be listened to", () => {
    for (const channel of [{}, { readyState: 1 }, { postMessage: () => {} }]) {
      expect(() => heardOn(channel)).not.toThrow();
    }
  });
});

describe("a process is kept alive", () => {
  test("while an answer is awaited, and not by listening", async () => {
    const { channel, done } = emitter();
    const { port } = heardOn(channel);
    await null;
    expect(done).toEqual(["unref"]);
    port.ref(true);
    port.ref(false);
    expect(done).toEqual(["unref", "ref", "unref"]);
  });

  test("by an answer that is awaited from the first moment", async () => {
    const { channel, done } = emitter();
    const { port } = heardOn(channel);
    port.ref(true);
    await null;
    expect(done).toEqual(["ref", "ref"]);
  });

  test("by the channel itself of a child, not by the child", async () => {
    const inner = emitter();
    const { channel, done } = emitter({ channel: inner.channel });
    heardOn(channel).port.ref(true);
    await null;
    expect([done, inner.done]).toEqual([[], ["ref", "ref"]]);
    const disconnected = emitter({ channel: null });
    heardOn(disconnected.channel);
    await null;
    expect(disconnected.done).toEqual(["unref"]);
  });

  test("by a worker as long as it works, whatever we await of it", async () => {
    const { channel, done } = emitter({ terminate: () => {} });
    const { port } = heardOn(channel);
    await null;
    port.ref(true);
    port.ref(false);
    expect(done).toEqual([]);
  });

  test("by whoever else listens, from before or soon after: that is not ours to change, also when they are gone", async () => {
    for (const when of ["before", "after"]) {
      const { channel, done } = emitter();
      const theirs = () => {};
      // What Node itself does when anybody listens is not seen here.
      if (when === "before") channel.on("message", theirs);
      const { port } = heardOn(channel);
      if (when === "after") channel.on("message", theirs);
      done.splice(0);
      await null;
      channel.off("message", theirs);
      port.ref(false);
      expect(done, when).toEqual([]);
    }
  });

  test("by whoever listens much later; not by one who only wants to hear of its end", async () => {
    const { channel, done } = emitter();
    const { port } = heardOn(channel);
    await null;
    channel.on("exit", () => {});
    expect(done).toEqual(["unref"]);
    const theirs = () => {};
    channel.on("message", theirs);
    expect(done).toEqual(["unref", "ref"]);
    channel.off("message", theirs);
    port.ref(false);
    expect(done).toEqual(["unref", "ref"]);
  });

  test("by nothing of ours where a channel does not know how", async () => {
    const { port } = heardOn({ postMessage: () => {} });
    await null;
    expect(() => [port.ref(true), port.ref(false)]).not.toThrow();
  });
});

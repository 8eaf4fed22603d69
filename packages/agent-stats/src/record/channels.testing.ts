/** For tests of an agent elsewhere: one behind each kind of channel, that counts what it is told to. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { MessageChannel, Worker } from "node:worker_threads";
import type { ChannelLike } from "./port.ts";
import { defineProtocol } from "./protocol.ts";
import { Recorder } from "./recorder.ts";
import { serveRecorder } from "./serve.ts";

const require = createRequire(import.meta.url);
/** What was built, for programs that run on plain Node. */
export const LIBRARY = JSON.stringify(pathToFileURL(require.resolve("agent-stats")).href);

export const smp = defineProtocol("smp", {
  sent: "messages sent",
  received: "messages received",
  errors: { help: "messages refused", error: true },
  connected: { help: "connections open", gauge: true },
});

/** What an agent can be told to do: the arguments of `server`, then a counter or gauge and its number. */
export type Deed = readonly ["add" | "set", user: string, server: string, name: string, n: number];

export interface AgentElsewhere {
  /** The host's end. */
  readonly channel: ChannelLike;
  act(...deed: Deed): void;
  /** How many messages went either way by now, as far as the host's end sees them; deeds are none. */
  messages(): number;
  /** Ends the agent without a goodbye. */
  kill(): Promise<void>;
}

/** The same agent as a program: it takes its deeds from the channel that it serves. */
const PROGRAM = `
  const { defineProtocol, Recorder, serveRecorder } = await import(${LIBRARY});
  const smp = defineProtocol("smp", {
    sent: "messages sent",
    received: "messages received",
    errors: { help: "messages refused", error: true },
    connected: { help: "connections open", gauge: true },
  });
  const recorder = new Recorder({ protocols: [smp] });
  channel.on("message", ({ deed }) => {
    if (deed) recorder.server(smp, deed[1], deed[2])[deed[0]](deed[3], deed[4]);
  });
  serveRecorder(recorder, channel);
`;

export const KINDS: Readonly<Record<string, () => Promise<AgentElsewhere>>> = {
  async "a MessagePort"(): Promise<AgentElsewhere> {
    const { port1, port2 } = new MessageChannel();
    const recorder = new Recorder({ protocols: [smp] });
    const messages = countMessages(port2, "postMessage");
    const closed = once(port2, "close");
    serveRecorder(recorder, port1);
    return {
      channel: port2,
      act: (...deed) => act(recorder, deed),
      messages,
      async kill() {
        port1.close();
        await closed;
      },
    };
  },

  async "a worker thread"(): Promise<AgentElsewhere> {
    const program = `const channel = require("node:worker_threads").parentPort; (async () => { ${PROGRAM} })();`;
    const worker = new Worker(program, { eval: true });
    const messages = countMessages(worker, "postMessage");
    await once(worker, "message");
    return {
      channel: worker,
      act: (...deed) => worker.postMessage({ deed }),
      messages,
      kill: async () => void (await worker.terminate()),
    };
  },

  async "a child process"(): Promise<AgentElsewhere> {
    const program = `const channel = process; ${PROGRAM}`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const messages = countMessages(child, "send");
    const closed = once(child, "close");
    await once(child, "message");
    return {
      channel: child,
      act: (...deed) => child.send({ deed }),
      messages,
      async kill() {
        child.kill("SIGKILL");
        await closed;
      },
    };
  },

  "a WebSocket of ws": () => webSocket(ws().WebSocket),
};

/** Why not every kind is here; null when they all are. */
export const whyNotAll =
  typeof globalThis.WebSocket === "function" ? null : "the browser's WebSocket: this Node.js has none";
if (whyNotAll === null) {
  const Browser = globalThis.WebSocket as unknown as WebSocketClass;
  Object.assign(KINDS, { "the browser's WebSocket": () => webSocket(Browser) });
}

type WebSocketClass = new (url: string) => ChannelLike & { close(): void };
interface Ws {
  readonly WebSocket: WebSocketClass;
  readonly WebSocketServer: new (options: {
    host: string;
    port: number;
  }) => NodeJS.EventEmitter & {
    address(): AddressInfo;
    close(): void;
    readonly clients: Iterable<{ terminate(): void }>;
  };
}

/** The WebSocket library of mqtt: no other dependency has one. */
function ws(): Ws {
  return createRequire(require.resolve("mqtt"))("ws") as Ws;
}

async function webSocket(Client: WebSocketClass): Promise<AgentElsewhere> {
  const server = new (ws().WebSocketServer)({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const recorder = new Recorder({ protocols: [smp] });
  server.on("connection", (socket: ChannelLike) => serveRecorder(recorder, socket));
  const client = new Client(`ws://127.0.0.1:${server.address().port}`);
  const messages = countMessages(client, "send");
  const closed = new Promise((resolve) => client.addEventListener?.("close", resolve));
  // It may be killed before anybody connects to it.
  client.addEventListener?.("error", () => {});
  return {
    // Connecting still: what is asked meanwhile must not be lost.
    channel: client,
    act: (...deed) => act(recorder, deed),
    messages,
    async kill() {
      for (const each of server.clients) each.terminate();
      server.close();
      await closed;
    },
  };
}

function act(recorder: Recorder, [what, user, server, name, n]: Deed): void {
  const handle = recorder.server(smp, user, server);
  if (what === "add") handle.add(name as "sent", n);
  else handle.set(name as "connected", n);
}

/** Counts from now on what the host's end sends and hears. */
function countMessages(channel: ChannelLike, method: "postMessage" | "send"): () => number {
  let count = 0;
  const post = channel[method] as (...args: unknown[]) => unknown;
  const counted = (...args: unknown[]) => {
    if ((args[0] as { deed?: unknown }).deed === undefined) count += 1;
    return post.apply(channel, args);
  };
  Object.defineProperty(channel, method, { value: counted });
  const heard = () => {
    count += 1;
  };
  if (channel.addEventListener) channel.addEventListener("message", heard);
  else channel.on?.("message", heard);
  return () => count;
}

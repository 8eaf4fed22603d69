/** For the tests of `agent-stats/mqtt`: counted clients, and a tap on the wire. */
import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from "node:net";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { onTestFinished } from "vitest";
import { Recorder } from "../record/recorder.ts";
import { type CountMqttOptions, countMqtt, mqtt } from "./mqtt.ts";

/** A real client, not yet connected, and what is counted of it. */
export interface Counted {
  readonly client: MqttClient;
  readonly stop: () => void;
  /** Counters and gauges by name; those that are zero are missing. */
  numbers(): Readonly<Record<string, number>>;
}

/** Made so that it is counted from its first packet on, and ended with the test. */
export function counted(port: number, options: IClientOptions = {}, how: CountMqttOptions = {}): Counted {
  const recorder = new Recorder();
  const client = connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options, manualConnect: true });
  const stop = countMqtt(client, recorder.server(mqtt, 1, `mqtt://127.0.0.1:${port}`), how);
  client.on("error", () => {}); // without a listener it would be thrown
  onTestFinished(() => endNow(client));
  return { client, stop, numbers: () => numbersOf(recorder) };
}

/** Whatever one recorder with one key holds. */
export function numbersOf(recorder: Recorder): Readonly<Record<string, number>> {
  const [server, ...others] = recorder.getServersStats().servers;
  if (server === undefined || others.length > 0) throw new Error("not one key");
  const live = Object.entries(server.live).filter(([, value]) => value !== 0);
  return { ...server.session, ...Object.fromEntries(live) };
}

/** Ends a client for good: one with `manualConnect` would try again after `end` if it was trying at that moment. */
export function endNow(client: MqttClient): void {
  client.options.reconnectPeriod = 0;
  client.end(true);
}

/** Resolves at the event's nth time from now on. Not `once` of Node, which fails at any `error` meanwhile. */
export function seen(client: MqttClient, event: "message" | "close" | "connect" | "error", count = 1): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const listener = (): void => {
      left -= 1;
      if (left > 0) return;
      client.removeListener(event, listener);
      resolve();
    };
    client.on(event, listener);
  });
}

const PACKET_NAMES = (
  "reserved connect connack publish puback pubrec pubrel pubcomp subscribe suback unsubscribe unsuback " +
  "pingreq pingresp disconnect auth"
).split(" ");

/** What went one way: bytes, and packets by name. A PUBLISH with the DUP flag is counted under "dup" as well. */
export interface Tally {
  bytes: number;
  readonly packets: Record<string, number>;
}

export interface Tap {
  readonly port: number;
  /** From the client, whether let through or not. */
  readonly up: Tally;
  /** To the client, as far as let through. */
  readonly down: Tally;
  /** Packets of these names are taken off the wire. */
  readonly swallow: Set<string>;
  /** Resolves when that packet has come by, again from now on. */
  seen(name: string): Promise<void>;
  /** Breaks every connection, at once. */
  cut(): void;
  /** Breaks every connection and refuses new ones, until `open`. */
  close(): Promise<void>;
  open(): Promise<void>;
  /** Resolves when no connection is open. */
  idle(): Promise<void>;
}

/** A relay in front of a broker that counts what passes, by reading nothing but the fixed headers. */
export async function tapOn(brokerPort: number): Promise<Tap> {
  const up: Tally = { bytes: 0, packets: {} };
  const down: Tally = { bytes: 0, packets: {} };
  const swallow = new Set<string>();
  const waiting: { readonly name: string; readonly resolve: () => void }[] = [];
  const clients = new Set<Socket>();

  function pass(tally: Tally, frame: Buffer, on: Socket): void {
    const first = frame[0] as number;
    const name = PACKET_NAMES[first >> 4] as string;
    const kept = !swallow.has(name);
    if (kept || tally === up) {
      tally.bytes += frame.length;
      tally.packets[name] = (tally.packets[name] ?? 0) + 1;
      if (name === "publish" && (first & 8) !== 0) tally.packets.dup = (tally.packets.dup ?? 0) + 1;
    }
    if (kept) on.write(frame);
    for (const waiter of waiting.filter((one) => one.name === name)) {
      waiting.splice(waiting.indexOf(waiter), 1);
      waiter.resolve();
    }
  }

  const server = createServer((client) => {
    const broker = createConnection(brokerPort, "127.0.0.1");
    clients.add(client);
    for (const [from, to, tally] of [[client, broker, up] as const, [broker, client, down] as const]) {
      from.on(
        "data",
        frames((frame) => pass(tally, frame, to)),
      );
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
    }
    client.on("close", () => clients.delete(client));
  });
  const port = await listen(server);
  const cut = (): void => {
    for (const client of clients) client.destroy();
  };
  return {
    port,
    up,
    down,
    swallow,
    cut,
    seen: (name) => new Promise((resolve) => waiting.push({ name, resolve })),
    async close() {
      const closed = once(server, "close");
      server.close();
      cut();
      await closed;
    },
    async open() {
      await listen(server, port);
    },
    async idle() {
      while (clients.size > 0) await once([...clients][0] as Socket, "close");
    },
  };
}

/** Cuts a stream into packets. */
function frames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let size = frameSize(rest); size > 0 && size <= rest.length; size = frameSize(rest)) {
      onFrame(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
  };
}

/** The size of the packet at the start; 0 where that cannot be told yet. */
function frameSize(bytes: Buffer): number {
  let length = 0;
  for (let at = 1; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if (byte < 0x80) return at + 1 + length;
  }
  return 0;
}

/** Listens on the loopback interface only, and says where. */
export async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

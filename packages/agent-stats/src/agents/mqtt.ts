import type { OnMessageCallback } from "mqtt";
import { assertFunctions, assertGiven, assertOptions, can, isObject } from "../record/given.ts";
import { type ConnectionOwner, connectionCounters } from "./mqtt-connection.ts";
import { type MessageNamer, receiptCounters, requestCounters, sendCounters } from "./mqtt-messages.ts";
import { framedSize, sentPacketSize } from "./mqtt-packet-size.ts";
import type { MqttPacket, MqttServer } from "./mqtt-protocol.ts";

export { type MqttPacket, type MqttServer, mqtt } from "./mqtt-protocol.ts";

/** Enough for minutes of a busy chat; about 1 MB with ids of 36 characters. */
const REMEMBERED_IDS = 10_000;

type PacketListener = (packet: MqttPacket) => void;

/** What {@link countMqtt} needs of a client: an `MqttClient` of MQTT.js 5 is one. */
export interface MqttClientLike extends ConnectionOwner {
  readonly options: { readonly protocolVersion?: number | undefined };
  prependListener(event: "packetsend" | "packetreceive", listener: PacketListener): unknown;
  prependListener(event: "connect" | "close" | "end", listener: () => void): unknown;
  removeListener(event: "packetsend" | "packetreceive", listener: PacketListener): unknown;
  removeListener(event: "connect" | "close" | "end", listener: () => void): unknown;
}

export interface CountMqttOptions {
  /**
   * Names a received message by an id of the host's own, e.g. one in its payload, so that a repeated one is known by it.
   * Called each time a message comes in, repeated ones included, before the `message` event. Where it gives undefined, or throws, the
   * broker's DUP flag decides: it is all there is without this, but some brokers do not set it, and others set it on
   * what this client never received.
   */
  readonly messageId?: (...message: Parameters<OnMessageCallback>) => string | number | undefined;
  /** How many different ids are remembered, the last ones, in memory only. Default: 10 000. */
  readonly rememberIds?: number;
}

/**
 * Counts an MQTT.js client, through its public events only, until the function that it returns is called.
 *
 * A connection counts from its CONNECT packet. A client writes the first one while it is made, so make it with
 * `manualConnect: true`, count it, then call `connect()`. Without, the first attempt is counted when its outcome is
 * seen, and only the bytes of that packet are missed. A client that is connected already is counted from there on.
 * (MQTT.js 5.16: a client with `manualConnect` that is ended while it tries to connect tries again. Set its
 * `options.reconnectPeriod` to 0 before `end`.)
 *
 * A message that is sent counts when MQTT.js writes it, not when the host hands it over: one that waits for a
 * connection is no attempt yet, and one that MQTT.js refuses by itself never is.
 *
 * @example
 * const client = connect("mqtts://broker.example:8883", { manualConnect: true });
 * const stop = countMqtt(client, stats.server(mqtt, userId, "mqtts://broker.example:8883"));
 * client.connect();
 *
 * @throws TypeError when it is no client, no handle, or `messageId` is no function
 */
export function countMqtt(client: MqttClientLike, server: MqttServer, options: CountMqttOptions = {}): () => void {
  const isClient = can(client, "prependListener", "removeListener") && isObject(client.options);
  assertGiven(isClient, "client must be one of MQTT.js");
  assertGiven(can(server, "add", "counter", "set"), "server must be a handle, e.g. stats.server(mqtt, userId, server)");
  assertOptions(options);
  assertFunctions(options, "messageId");
  const connection = connectionCounters(client, server);
  const sends = sendCounters(server);
  const receipts = receiptCounters(server, options.messageId as MessageNamer | undefined, limitOf(options));
  const bytes = byteCounters(client, server);
  const acks = server.counter("acks");
  const subscriptions = requestCounters(
    server.counter("subscribeAttempts"),
    server.counter("subscribed"),
    server.counter("subscribeRefused"),
  );
  const unsubscriptions = requestCounters(
    server.counter("unsubscribeAttempts"),
    server.counter("unsubscribed"),
    server.counter("unsubscribeRefused"),
  );

  function onSend(packet: MqttPacket): void {
    bytes.written(packet);
    if (packet.cmd === "publish") sends.written(packet);
    else if (packet.cmd === "puback" || packet.cmd === "pubrec") acks.add();
    else if (packet.cmd === "connect") connection.tried();
    else if (packet.cmd === "subscribe") subscriptions.written(packet, packet.subscriptions);
    else if (packet.cmd === "unsubscribe") unsubscriptions.written(packet, packet.unsubscriptions);
  }

  function onReceive(packet: MqttPacket): void {
    bytes.received(packet);
    if (packet.cmd === "publish") receipts.received(packet);
    else if (packet.cmd === "puback" || packet.cmd === "pubrec" || packet.cmd === "pubcomp") sends.answered(packet);
    else if (packet.cmd === "suback") subscriptions.answered(packet);
    else if (packet.cmd === "unsuback") unsubscriptions.answered(packet);
    else if (packet.cmd === "disconnect") server.add("brokerDisconnects");
    else if (packet.cmd === "connack") {
      receipts.connected();
      sends.replaying(true);
      connection.answered(packet.reasonCode ?? packet.returnCode);
    }
  }

  const onConnect = (): void => sends.replaying(false);

  function onClose(): void {
    subscriptions.closed();
    unsubscriptions.closed();
    connection.closed();
  }

  // Before all other listeners: one of the host's may throw, or connect anew at `close`. Never `error`: an emitter
  // without a listener for it throws, and a host that relies on that must not lose its errors to one who only counts.
  client.prependListener("packetsend", onSend);
  client.prependListener("packetreceive", onReceive);
  client.prependListener("connect", onConnect);
  client.prependListener("close", onClose);
  client.prependListener("end", connection.ended);

  let stopped = false;
  return () => {
    if (stopped) return;
    stopped = true;
    client.removeListener("packetsend", onSend);
    client.removeListener("packetreceive", onReceive);
    client.removeListener("connect", onConnect);
    client.removeListener("close", onClose);
    client.removeListener("end", connection.ended);
    connection.stop();
  };
}

/** Counts the bytes of all packets, as they are on the wire. */
function byteCounters(client: MqttClientLike, server: MqttServer) {
  const sent = server.counter("bytesSent");
  const received = server.counter("bytesReceived");
  // MQTT.js writes CONNECT before there is a connection. Its bytes count once the broker has answered: else a server
  // that cannot be reached would seem to cost traffic.
  let unanswered = 0;
  return {
    written(packet: MqttPacket): void {
      const size = sentPacketSize(packet, client.options.protocolVersion ?? 4);
      if (packet.cmd === "connect") unanswered = size;
      else if (unanswered > 0) unanswered += size;
      else sent.add(size);
    },
    received({ length }: MqttPacket): void {
      if (unanswered > 0) sent.add(unanswered);
      unanswered = 0;
      if (typeof length === "number") received.add(framedSize(length));
    },
  };
}

function limitOf({ rememberIds }: CountMqttOptions): number {
  return Number.isInteger(rememberIds) && (rememberIds as number) > 0 ? (rememberIds as number) : REMEMBERED_IDS;
}

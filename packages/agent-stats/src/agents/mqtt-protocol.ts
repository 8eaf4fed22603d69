import { defineProtocol, type Protocol } from "../record/protocol.ts";
import type { Server } from "../record/row.ts";

/**
 * What is counted of an MQTT client, by {@link countMqtt}.
 *
 * Errors of one kind stand in one counter: `connectAuthErrors`, `connectRefused` and `connectErrors` share no attempt,
 * and neither do `sendAuthErrors`, `sendQuotaErrors` and `sendErrors`. What has no outcome yet, or never got one, is the
 * rest of the attempts.
 */
export const mqtt = defineProtocol("mqtt", {
  connected: { help: "connections open now", gauge: true },
  connectAttempts: { help: "connections tried, the first and every repeated one", attemptsOf: "connects" },
  connects: "connections that the broker accepted",
  reconnects: "connections that came back after one was lost",
  connectAuthErrors: { help: "connections refused because of the login or its rights", error: true },
  connectRefused: { help: "connections refused for another reason: broker busy, client id, banned", error: true },
  connectErrors: { help: "connections that got no answer: unreachable, TLS, timeout, closed at once", error: true },
  disconnects: "open connections that ended, whoever ended them",
  connectionLosses: { help: "open connections that ended though this client had not asked", error: true },
  brokerDisconnects: { help: "times the broker said that it ends the connection (MQTT 5)", error: true },

  sendAttempts: { help: "messages written that ask for an acknowledgement (QoS 1 and 2)", attemptsOf: "sent" },
  sent: "messages that the broker acknowledged (QoS 1 and 2)",
  sentUnconfirmed: "messages written that ask for no acknowledgement (QoS 0): they may be lost",
  resends: "messages written once more after a reconnect: not sent anew",
  sendAuthErrors: { help: "messages refused because this user may not send there (MQTT 5)", error: true },
  sendQuotaErrors: { help: "messages refused because a quota is used up (MQTT 5)", error: true },
  sendErrors: { help: "messages refused for another reason (MQTT 5)", error: true },

  received: "messages received, repeated ones included",
  duplicates: "messages received that had been received before",
  acks: "received messages that this client acknowledged (QoS 1 and 2)",

  subscribeAttempts: { help: "topics asked for, also again after a reconnect", attemptsOf: "subscribed" },
  subscribed: "topics that the broker granted",
  subscribeRefused: { help: "topics that the broker refused", error: true },
  unsubscribeAttempts: { help: "topics asked to be ended", attemptsOf: "unsubscribed" },
  unsubscribed: "topics that the broker ended",
  unsubscribeRefused: { help: "topics that the broker refused to end (MQTT 5)", error: true },

  bytesSent: { help: "MQTT bytes written, all packets; without TLS, WebSocket and TCP", unit: "bytes" },
  bytesReceived: { help: "MQTT bytes received, all packets; without TLS, WebSocket and TCP", unit: "bytes" },
});

/** The handle that `recorder.server(mqtt, userId, url)` gives. */
export type MqttServer = typeof mqtt extends Protocol<infer C, infer G> ? Server<C, G> : never;

/**
 * A packet as MQTT.js shows it, of whatever type. The fields are unknown on purpose: a host can hand MQTT.js anything,
 * and nothing that only counts may throw for it.
 */
export interface MqttPacket {
  readonly cmd: string;
  /** Of a received packet: the bytes after the fixed header. Missing in one that is sent. */
  readonly length?: unknown;
  readonly messageId?: unknown;
  readonly qos?: unknown;
  readonly dup?: unknown;
  readonly topic?: unknown;
  readonly payload?: unknown;
  readonly properties?: unknown;
  /** The outcome in MQTT 5; in 3.1.1 only CONNACK has one, its `returnCode`. */
  readonly reasonCode?: unknown;
  readonly returnCode?: unknown;
  readonly granted?: unknown;
  readonly subscriptions?: unknown;
  readonly unsubscriptions?: unknown;
  readonly protocolId?: unknown;
  readonly protocolVersion?: unknown;
  readonly clientId?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
  readonly will?: unknown;
}

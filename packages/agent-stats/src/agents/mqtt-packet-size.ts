/**
 * How many bytes a packet takes on the wire: what MQTT.js is about to write, measured from outside.
 *
 * MQTT.js tells the length of a packet that it received, but of one that it sends only the fields. This repeats the
 * arithmetic of its encoder (`mqtt-packet`), with no encoding and no copy. Formats: MQTT 3.1.1 and 5.0, chapters 2 and 3.
 */

import type { MqttPacket } from "./mqtt-protocol.ts";

/** One byte of type and flags, the length of the rest, the rest. */
export function framedSize(remainingLength: number): number {
  return 1 + variableIntegerSize(remainingLength) + remainingLength;
}

/** The size in bytes of a packet that a client of that protocol version sends. */
export function sentPacketSize(packet: MqttPacket, protocolVersion: number): number {
  return framedSize(remainingLengthOf(packet, protocolVersion === 5));
}

function remainingLengthOf(packet: MqttPacket, v5: boolean): number {
  const properties = v5 ? propertiesSize(packet.properties) : 0;
  switch (packet.cmd) {
    case "connect":
      return connectLength(packet);
    case "publish":
      return prefixed(packet.topic) + (packet.qos ? 2 : 0) + properties + contentSize(packet.payload);
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      return acknowledgementLength(packet, v5);
    case "subscribe":
      return 2 + properties + listSize(packet.subscriptions, (entry) => prefixed(fieldsOf(entry).topic) + 1);
    case "unsubscribe":
      return 2 + properties + listSize(packet.unsubscriptions, prefixed);
    case "disconnect":
      return v5 ? 1 + properties : 0;
    case "auth":
      return 1 + properties;
    default:
      return 0; // pingreq
  }
}

function connectLength(packet: MqttPacket): number {
  const v5 = packet.protocolVersion === 5;
  const { will } = packet;
  let length = prefixed(packet.protocolId) + 4 + prefixed(packet.clientId);
  if (v5) length += propertiesSize(packet.properties);
  if (will) {
    const { topic, payload, properties } = fieldsOf(will);
    length += prefixed(topic) + prefixed(payload) + (v5 ? propertiesSize(properties) : 0);
  }
  if (packet.username != null) length += prefixed(packet.username);
  if (packet.password != null) length += prefixed(packet.password);
  return length;
}

function acknowledgementLength(packet: MqttPacket, v5: boolean): number {
  if (!v5) return 2;
  const { properties } = packet;
  if (properties !== null && typeof properties === "object") return 3 + propertiesSize(properties);
  // Success may be left out, but MQTT.js only does so where it says 0: a missing code is written, with no properties.
  return packet.reasonCode === 0 ? 2 : 4;
}

/** A Map, because a host may name a property `toString`. The rest are strings and bytes. */
const FIXED_PROPERTY_BYTES: ReadonlyMap<string, number> = new Map([
  ["payloadFormatIndicator", 1],
  ["requestProblemInformation", 1],
  ["requestResponseInformation", 1],
  ["receiveMaximum", 2],
  ["topicAlias", 2],
  ["topicAliasMaximum", 2],
  ["maximumPacketSize", 4],
  ["messageExpiryInterval", 4],
  ["sessionExpiryInterval", 4],
  ["willDelayInterval", 4],
]);

function propertiesSize(properties: unknown): number {
  if (!properties) return 1;
  let length = 0;
  for (const [name, value] of Object.entries(fieldsOf(properties))) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) length += propertySize(name, one);
  }
  return variableIntegerSize(length) + length;
}

/** One byte of identifier and the value. */
function propertySize(name: string, value: unknown): number {
  if (name === "userProperties") return userPropertiesSize(value);
  if (name === "subscriptionIdentifier") return 1 + variableIntegerSize(typeof value === "number" ? value : 0);
  return 1 + (FIXED_PROPERTY_BYTES.get(name) ?? prefixed(value));
}

/** Each pair is a property of its own, and a name with several values is repeated. */
function userPropertiesSize(pairs: unknown): number {
  let length = 0;
  for (const [name, values] of Object.entries(fieldsOf(pairs))) {
    for (const value of Array.isArray(values) ? values : [values]) length += 1 + prefixed(name) + prefixed(value);
  }
  return length;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" ? (value as Readonly<Record<string, unknown>>) : {};
}

function listSize(list: unknown, sizeOf: (entry: unknown) => number): number {
  return Array.isArray(list) ? list.reduce<number>((sum, entry) => sum + sizeOf(entry), 0) : 0;
}

/** A string or bytes behind two bytes of length. */
function prefixed(value: unknown): number {
  return 2 + contentSize(value);
}

function contentSize(value: unknown): number {
  if (typeof value === "string") return utf8Size(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  return typeof value === "number" || typeof value === "boolean" ? utf8Size(String(value)) : 0;
}

/** By hand, because there is no `Buffer` in a browser and `TextEncoder` would copy every payload to measure it. */
function utf8Size(text: string): number {
  let size = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    size += unit < 0x800 ? 1 : 2;
    // A surrogate pair is four bytes for two units: what the first one adds is right for both.
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) at += 1;
  }
  return size;
}

function variableIntegerSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}

import type { BoundCounter } from "../record/row.ts";
import type { MqttPacket, MqttServer } from "./mqtt-protocol.ts";

/** From here on a reason code is a refusal, in SUBACK of MQTT 3.1.1 and everywhere in 5.0. */
const FIRST_REFUSAL = 128;
const NOT_AUTHORIZED = 135;
const QUOTA_EXCEEDED = 151;

/** Counts the messages that the client sends, each once, whatever becomes of it. */
export function sendCounters(server: MqttServer) {
  const attempts = server.counter("sendAttempts");
  const sent = server.counter("sent");
  const unconfirmed = server.counter("sentUnconfirmed");
  /** Message ids written and not yet answered. 16 bits each, so there are never more than 65 535. */
  const inFlight = new Set<unknown>();
  // After CONNACK and before its `connect` event, MQTT.js writes again what has no answer: with no DUP flag, so only
  // the id tells. Outside of that an id that is in flight was given up (`removeOutgoingMessage`, `end`) and used anew.
  let replaying = false;

  return {
    /** A PUBLISH is written. */
    written({ qos, messageId }: MqttPacket): void {
      if (!qos) unconfirmed.add();
      else if (replaying && inFlight.has(messageId)) server.add("resends");
      else {
        inFlight.add(messageId);
        attempts.add();
      }
    },
    /** PUBACK, PUBREC or PUBCOMP. Of ids whose PUBLISH nobody counted, nothing is counted: `sent` stays below attempts. */
    answered({ cmd, messageId, reasonCode }: MqttPacket): void {
      const refused = typeof reasonCode === "number" && reasonCode >= FIRST_REFUSAL;
      if (cmd === "pubrec" && !refused) return; // QoS 2 ends with PUBCOMP
      if (!inFlight.delete(messageId)) return;
      if (!refused) sent.add();
      else if (reasonCode === NOT_AUTHORIZED) server.add("sendAuthErrors");
      else if (reasonCode === QUOTA_EXCEEDED) server.add("sendQuotaErrors");
      else server.add("sendErrors");
    },
    replaying(now: boolean): void {
      replaying = now;
    },
  };
}

/** Names a message: the same id for the same message, however often it comes. */
export type MessageNamer = (topic: string, payload: unknown, packet: MqttPacket) => unknown;

/** Counts the messages that come in, and those among them that had come before. */
export function receiptCounters(server: MqttServer, nameOf: MessageNamer | undefined, rememberIds: number) {
  const received = server.counter("received");
  const seenBefore = recentIds(rememberIds);
  const topics = new Map<unknown, string>();

  /** MQTT 5 may write a topic once and only its alias from then on; MQTT.js shows the packet as it came. */
  function topicOf({ topic, properties }: MqttPacket): string {
    const alias = (properties as { readonly topicAlias?: unknown } | undefined)?.topicAlias;
    const written = typeof topic === "string" ? topic : "";
    if (alias === undefined) return written;
    if (written !== "") topics.set(alias, written);
    return topics.get(alias) ?? "";
  }

  function idOf(packet: MqttPacket): string | number | undefined {
    if (nameOf === undefined) return undefined;
    const topic = topicOf(packet);
    try {
      const id = nameOf(topic, packet.payload, packet);
      return typeof id === "string" || typeof id === "number" ? id : undefined;
    } catch {
      return undefined; // the host's mistake, in the middle of the host's own receiving: it must not stop that
    }
  }

  return {
    /** A PUBLISH came in. */
    received(packet: MqttPacket): void {
      received.add();
      const id = idOf(packet);
      // DUP says that the broker wrote the message before, perhaps to a connection that broke: an id knows better.
      if (id === undefined ? packet.dup === true : seenBefore(id)) server.add("duplicates");
    },
    /** A new connection: what aliases meant is over. */
    connected(): void {
      topics.clear();
    },
  };
}

/** Tells whether an id is among the last `limit` different ones, and remembers it. */
function recentIds(limit: number): (id: string | number) => boolean {
  const known = new Set<string | number>();
  // A ring, because finding the oldest entry of a Set means walking over every one deleted before it.
  const ring: (string | number)[] = [];
  let next = 0;
  return (id) => {
    if (known.has(id)) return true;
    const oldest = ring[next];
    if (oldest !== undefined) known.delete(oldest);
    known.add(id);
    ring[next] = id;
    next = (next + 1) % limit;
    return false;
  };
}

/** Counts requests that each name several topics and are answered with a code for each: SUBSCRIBE, UNSUBSCRIBE. */
export function requestCounters(attempts: BoundCounter, done: BoundCounter, refused: BoundCounter) {
  /** How many topics each unanswered request names. */
  const waiting = new Map<unknown, number>();
  return {
    written({ messageId }: MqttPacket, topics: unknown): void {
      const count = Array.isArray(topics) ? topics.length : 0;
      waiting.set(messageId, count);
      attempts.add(count);
    },
    answered({ messageId, granted }: MqttPacket): void {
      const count = waiting.get(messageId);
      if (count === undefined) return;
      waiting.delete(messageId);
      // MQTT 3.1.1 answers UNSUBSCRIBE with no codes: it cannot be refused.
      const codes: readonly unknown[] = Array.isArray(granted) ? granted.slice(0, count) : Array(count).fill(0);
      const refusals = codes.filter((code) => typeof code === "number" && code >= FIRST_REFUSAL).length;
      refused.add(refusals);
      done.add(codes.length - refusals);
    },
    /** The connection closed: MQTT.js gives up what has no answer, and asks anew. */
    closed(): void {
      waiting.clear();
    },
  };
}

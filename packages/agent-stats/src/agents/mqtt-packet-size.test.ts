import * as fc from "fast-check";
import { expect, test } from "vitest";
import { codec } from "./mqtt-brokers.testing.ts";
import { framedSize, sentPacketSize } from "./mqtt-packet-size.ts";
import type { MqttPacket } from "./mqtt-protocol.ts";

const text = fc.oneof(fc.string({ unit: "binary" }), fc.string(), fc.string({ maxLength: 300, minLength: 200 }));
const bytes = fc.uint8Array({ maxLength: 20_000 }).map((array) => Buffer.from(array));
const content = fc.oneof(text, bytes);
const id = fc.integer({ min: 1, max: 65_535 });
const int32 = fc.integer({ min: 0, max: 0xffff_ffff });
// At least one, because MQTT.js writes nothing at all of a packet whose user properties are empty.
const userProperties = fc.dictionary(text, fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })), {
  minKeys: 1,
  maxKeys: 3,
});

/** Some of the fields, sometimes none at all, as a host may give them. */
function some(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object | undefined> {
  return fc.option(fc.record(fields, { requiredKeys: [] }), { nil: undefined });
}

const messageProperties = some({
  payloadFormatIndicator: fc.boolean(),
  messageExpiryInterval: int32,
  topicAlias: id,
  responseTopic: text,
  correlationData: bytes.filter(({ length }) => length < 65_536),
  userProperties,
  subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }),
  contentType: text,
});

const connectProperties = some({
  sessionExpiryInterval: int32,
  receiveMaximum: id,
  maximumPacketSize: int32,
  topicAliasMaximum: id,
  requestResponseInformation: fc.boolean(),
  requestProblemInformation: fc.boolean(),
  userProperties,
  authenticationMethod: text,
  authenticationData: bytes,
});

const will = fc.record({
  topic: fc.string({ minLength: 1 }),
  payload: fc.oneof(text, fc.constant("")),
  properties: some({ willDelayInterval: int32, contentType: text, userProperties }),
});

const acknowledgement = fc.record(
  { messageId: id, reasonCode: fc.constantFrom(0, 16, 135), properties: some({ reasonString: text, userProperties }) },
  { requiredKeys: ["messageId"] },
);

const subscription = fc.record({ topic: text, qos: fc.constantFrom(0, 1, 2) });

/** Every packet that a client of that version writes. */
function packets(protocolVersion: number): fc.Arbitrary<MqttPacket> {
  const named = <T>(cmd: string, fields: fc.Arbitrary<T>) => fields.map((given) => ({ cmd, ...given }));
  const login = fc.oneof(
    fc.record({ username: fc.constant(undefined), password: fc.constant(undefined) }),
    fc.record({
      username: text,
      password: fc.option(fc.oneof(text, fc.constant(Buffer.from("ü"))), { nil: undefined }),
    }),
  );
  const common = [
    named(
      "connect",
      fc
        .tuple(
          fc.record({
            protocolId: fc.constant("MQTT"),
            clientId: text,
            keepalive: fc.constant(60),
            properties: connectProperties,
            will: fc.option(will, { nil: undefined }),
          }),
          login,
        )
        .map(([fields, names]) => ({ ...fields, ...names, protocolVersion })),
    ),
    named(
      "publish",
      fc.record({
        topic: text,
        payload: content,
        qos: fc.constantFrom(0, 1, 2),
        messageId: id,
        properties: messageProperties,
      }),
    ),
    ...["puback", "pubrec", "pubrel", "pubcomp"].map((cmd) => named(cmd, acknowledgement)),
    named(
      "subscribe",
      fc.record({
        messageId: id,
        subscriptions: fc.array(subscription, { minLength: 1, maxLength: 3 }),
        properties: some({ subscriptionIdentifier: id, userProperties }),
      }),
    ),
    named(
      "unsubscribe",
      fc.record({
        messageId: id,
        unsubscriptions: fc.array(text, { minLength: 1, maxLength: 3 }),
        properties: some({ userProperties }),
      }),
    ),
    named("pingreq", fc.record({})),
    named("disconnect", fc.record({ reasonCode: fc.constantFrom(0, 4), properties: some({ reasonString: text }) })),
  ];
  const auth = named(
    "auth",
    fc.record({
      reasonCode: fc.constant(24),
      properties: some({ authenticationMethod: text, authenticationData: bytes }),
    }),
  );
  return fc.oneof(...common, ...(protocolVersion === 5 ? [auth] : []));
}

test.each([4, 5])("a packet is as long as what MQTT.js writes (protocol version %i)", (protocolVersion) => {
  fc.assert(
    fc.property(packets(protocolVersion), (packet) => {
      expect(sentPacketSize(packet, protocolVersion)).toBe(written(packet, protocolVersion));
    }),
    { numRuns: 2_000 },
  );
});

/** The encoder writes piece by piece; its own joining is made for few pieces only. */
function written(packet: MqttPacket, protocolVersion: number): number {
  let size = 0;
  const stream = {
    write: (piece: string | Buffer) => (size += Buffer.byteLength(piece)),
    destroy: (error: Error) => {
      throw error;
    },
  };
  codec.writeToStream(packet, stream, { protocolVersion });
  return size;
}

test.each([0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])("the header before %i bytes", (length) => {
  const payload = Buffer.alloc(Math.max(0, length - 3));
  if (length < 3) expect(framedSize(length)).toBe(2);
  else expect(framedSize(length)).toBe(codec.generate({ cmd: "publish", topic: "t", payload, qos: 0 }).length);
});

test("nothing that a host may hand over makes it throw, and every size is a whole number", () => {
  const cmd = fc.constantFrom("connect", "publish", "puback", "subscribe", "unsubscribe", "disconnect", "auth", "?");
  const anything = fc.anything({ withNullPrototype: true, withBigInt: true });
  const fields = ["topic", "payload", "properties", "subscriptions", "unsubscriptions", "will", "username", "qos"];
  const names = ["userProperties", "subscriptionIdentifier", "topicAlias", "contentType", "toString", "__proto__"];
  const packet = fc
    .record({
      cmd,
      fields: fc.dictionary(fc.constantFrom(...fields), anything),
      properties: fc.oneof(anything, fc.dictionary(fc.constantFrom(...names), anything)),
    })
    .map((given) => ({ properties: given.properties, ...given.fields, cmd: given.cmd }));
  fc.assert(
    fc.property(packet, fc.constantFrom(4, 5), (given, version) => {
      expect(Number.isSafeInteger(sentPacketSize(given, version))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

/** What no real broker does when asked: every refusal, repetition and misbehaviour that the protocol knows. */
import { type IClientOptions, UniqueMessageIdProvider } from "mqtt";
import { expect, onTestFinished, test } from "vitest";
import { type Counted, counted, seen, tapOn } from "./mqtt.testing.ts";
import type { CountMqttOptions, MqttPacket } from "./mqtt.ts";
import { type Script, startScripted } from "./mqtt-brokers.testing.ts";

async function scripted(script: Script, options: IClientOptions = {}, how: CountMqttOptions = {}): Promise<Counted> {
  const protocolVersion = options.protocolVersion ?? 5;
  const broker = await startScripted(script, protocolVersion);
  onTestFinished(() => broker.stop());
  return counted(broker.port, { protocolVersion, ...options }, how);
}

async function connected(script: Script, options: IClientOptions = {}, how: CountMqttOptions = {}): Promise<Counted> {
  const made = await scripted(script, options, how);
  made.client.connect();
  await seen(made.client, "connect");
  return made;
}

const connackCodes = [
  [4, 1, "connectRefused"],
  [4, 2, "connectRefused"],
  [4, 3, "connectRefused"],
  [4, 4, "connectAuthErrors"],
  [4, 5, "connectAuthErrors"],
  [5, 128, "connectRefused"],
  [5, 133, "connectRefused"],
  [5, 134, "connectAuthErrors"],
  [5, 135, "connectAuthErrors"],
  [5, 137, "connectRefused"],
  [5, 138, "connectRefused"],
  [5, 140, "connectAuthErrors"],
  [5, 151, "connectRefused"],
] as const;

test.each(connackCodes)("protocol version %i, CONNACK %i: %s", async (protocolVersion, code, counter) => {
  const connack = { cmd: "connack", returnCode: code, reasonCode: code, sessionPresent: false };
  const { client, numbers } = await scripted({ connect: () => [connack] }, { protocolVersion });
  client.connect();
  await seen(client, "close");
  const { bytesSent, bytesReceived, ...rest } = numbers();
  expect(rest).toEqual({ connectAttempts: 1, [counter]: 1 });
  expect(bytesReceived).toBe(protocolVersion === 5 ? 5 : 4);
});

const publishCodes = [
  [0, "sent"],
  [16, "sent"],
  [128, "sendErrors"],
  [131, "sendErrors"],
  [135, "sendAuthErrors"],
  [144, "sendErrors"],
  [151, "sendQuotaErrors"],
  [153, "sendErrors"],
] as const;

test.each(publishCodes)("PUBACK and PUBREC %i: %s", async (reasonCode, counter) => {
  const { client, numbers } = await connected({
    publish: ({ messageId, ...packet }) => [
      { cmd: "qos" in packet && packet.qos === 1 ? "puback" : "pubrec", messageId, reasonCode },
    ],
  });
  for (const qos of [1, 2] as const) {
    const outcome = client.publishAsync("t", "x", { qos });
    if (counter === "sent") await outcome;
    else await expect(outcome).rejects.toThrow();
  }
  const { sendAttempts, sent, sendErrors, sendAuthErrors, sendQuotaErrors } = numbers();
  expect({ sendAttempts, sent, sendErrors, sendAuthErrors, sendQuotaErrors }).toEqual({
    sendAttempts: 2,
    sent: undefined,
    sendErrors: undefined,
    sendAuthErrors: undefined,
    sendQuotaErrors: undefined,
    [counter]: 2,
  });
});

test("a QoS 2 message is sent when PUBCOMP says so, and refused when it says no", async () => {
  const { client, numbers } = await connected({
    pubrel: ({ messageId }) => [{ cmd: "pubcomp", messageId, reasonCode: 146 }],
  });
  await expect(client.publishAsync("t", "x", { qos: 2 })).rejects.toThrow("not found");
  expect(numbers()).toMatchObject({ sendAttempts: 1, sendErrors: 1 });
  expect(numbers()).not.toHaveProperty("sent");
});

test("an acknowledgement that comes twice, or of nothing, counts nothing", async () => {
  const twice: Script = {
    subscribe: ({ messageId }) => [
      { cmd: "suback", messageId, granted: [0] },
      { cmd: "suback", messageId, granted: [128] },
    ],
    publish: ({ messageId }) => [
      { cmd: "puback", messageId: ((messageId ?? 0) % 65_535) + 1, reasonCode: 0 },
      { cmd: "puback", messageId, reasonCode: 0 },
      { cmd: "puback", messageId, reasonCode: 0 },
      { cmd: "suback", messageId: 7, granted: [0] },
    ],
  };
  const { client, numbers } = await connected(twice);
  await client.subscribeAsync("t");
  await client.publishAsync("t", "first", { qos: 1 });
  await client.publishAsync("t", "second", { qos: 1 });
  expect(numbers()).toMatchObject({ sendAttempts: 2, sent: 2, subscribeAttempts: 1, subscribed: 1 });
  expect(numbers()).not.toHaveProperty("subscribeRefused");
});

test("more codes than topics are no more topics", async () => {
  const { client, numbers } = await connected({
    subscribe: ({ messageId }) => [{ cmd: "suback", messageId, granted: [0, 0, 0] }],
  });
  await expect(client.subscribeAsync("t")).rejects.toThrow("granted 3");
  expect(numbers()).toMatchObject({ subscribeAttempts: 1, subscribed: 1 });
});

test("what is written before the broker has answered counts with its answer", async () => {
  const broker = await startScripted({});
  onTestFinished(() => broker.stop());
  const tap = await tapOn(broker.port);
  const { client, numbers } = counted(tap.port, {
    protocolVersion: 5,
    properties: { authenticationMethod: "word", authenticationData: Buffer.from("hello") },
    authPacket: { reasonCode: 24, properties: { authenticationMethod: "word" } },
  });
  client.connect();
  await seen(client, "connect");
  expect(tap.up.packets).toEqual({ connect: 1, auth: 1 });
  expect(numbers()).toMatchObject({ bytesSent: tap.up.bytes });
});

test("a QoS 2 message that lacks only its last acknowledgement is not sent once more", async () => {
  const broker = await startScripted({});
  onTestFinished(() => broker.stop());
  const tap = await tapOn(broker.port);
  const { client, numbers } = counted(tap.port, { protocolVersion: 5, reconnectPeriod: 10 });
  client.connect();
  await seen(client, "connect");
  tap.swallow.add("pubcomp");
  const [sent, lost] = [client.publishAsync("t", "x", { qos: 2 }), tap.seen("pubcomp")];
  await lost;
  tap.swallow.clear();
  tap.cut();
  await sent;
  expect(numbers()).toMatchObject({ sendAttempts: 1, sent: 1, connects: 2, reconnects: 1 });
  expect(numbers()).not.toHaveProperty("resends");
});

test("a message that the host gave up leaves its id to a new one", async () => {
  const { client, numbers } = await connected(
    { publish: () => [] },
    { messageIdProvider: new UniqueMessageIdProvider() },
  );
  const given = client.publishAsync("t", "given up", { qos: 1 });
  client.removeOutgoingMessage(client.getLastMessageId());
  await expect(given).rejects.toThrow("removed");
  client.publish("t", "takes the same id", { qos: 1 });
  expect(client.getLastMessageId()).toBe(1);
  expect(numbers()).toMatchObject({ sendAttempts: 2 });
  expect(numbers()).not.toHaveProperty("resends");
});

test("of several topics each is ended or refused", async () => {
  const { client, numbers } = await connected({
    unsubscribe: ({ messageId }) => [{ cmd: "unsuback", messageId, granted: [0, 17, 135] }],
  });
  await client.unsubscribeAsync(["a", "b", "c"]);
  expect(numbers()).toMatchObject({ unsubscribeAttempts: 3, unsubscribed: 2, unsubscribeRefused: 1 });
});

/** A broker that sends these messages as soon as it is asked for any topic. */
function sending(...messages: readonly Partial<MqttPacket>[]): Script {
  const packets = messages.map((message) => ({ cmd: "publish", topic: "t", payload: "x", qos: 0, ...message }));
  return { subscribe: ({ messageId }) => [{ cmd: "suback", messageId, granted: [0] }, ...packets] };
}

async function receive(messages: readonly Partial<MqttPacket>[], how: CountMqttOptions, options: IClientOptions = {}) {
  const { client, numbers } = await connected(sending(...messages), options, how);
  const arrived = seen(client, "message", messages.length);
  client.subscribe("t");
  await arrived;
  return numbers();
}

test("a messageId that throws, or names nothing, leaves it to the DUP flag, and the message to the host", async () => {
  const messages = [
    { qos: 1, messageId: 1 },
    { qos: 1, messageId: 1, dup: true },
    { qos: 1, messageId: 2 },
  ];
  const throwing = () => {
    throw new Error("the host's mistake");
  };
  expect(await receive(messages, { messageId: throwing })).toMatchObject({ received: 3, duplicates: 1, acks: 3 });
  expect(await receive(messages, { messageId: () => undefined })).toMatchObject({ received: 3, duplicates: 1 });
  expect(await receive(messages, {})).toMatchObject({ received: 3, duplicates: 1 });
});

test("messageId is called once a message, with the topic that an alias stands for", async () => {
  const called: string[] = [];
  const messages = [
    { topic: "long/name", properties: { topicAlias: 1 }, payload: "a" },
    { topic: "", properties: { topicAlias: 1 }, payload: "b" },
    { topic: "other", payload: "c" },
  ];
  await receive(
    messages,
    { messageId: (topic, payload, packet) => void called.push(`${topic} ${payload.toString()} ${packet.qos}`) },
    { properties: { topicAliasMaximum: 3 } },
  );
  expect(called).toEqual(["long/name a 0", "long/name b 0", "other c 0"]);
});

test("only the last ids are remembered, as many as asked for", async () => {
  const named = (...ids: string[]) => ids.map((payload) => ({ payload }));
  const how = { messageId: (_topic: string, payload: Buffer) => payload.toString() };
  const remembered = await receive(named("1", "2", "3", "4", "4", "2", "1"), { ...how, rememberIds: 3 });
  expect(remembered).toMatchObject({ received: 7, duplicates: 2 });
  expect(await receive(named("1", "2", "1"), { ...how, rememberIds: 1 })).not.toHaveProperty("duplicates");
  for (const rememberIds of [0, -1, 0.5, Number.NaN]) {
    expect(await receive(named("1", "2", "1"), { ...how, rememberIds })).toMatchObject({ duplicates: 1 });
  }
});

test("a QoS 2 message that comes twice reaches the host once, and is a duplicate", async () => {
  const message = { qos: 2, messageId: 1 };
  const { client, numbers } = await connected({
    ...sending(message, { ...message, dup: true }),
    pubrec: ({ messageId }) => [{ cmd: "pubrel", messageId, reasonCode: 0 }],
  });
  let messages = 0;
  client.on("message", () => {
    messages += 1;
  });
  let completed = 0;
  const done = new Promise<void>((resolve) => {
    client.on("packetsend", ({ cmd }) => {
      if (cmd === "pubcomp") completed += 1;
      if (completed === 2) resolve();
    });
  });
  client.subscribe("t");
  await done;
  expect(numbers()).toMatchObject({ received: 2, duplicates: 1, acks: 2 });
  expect(messages).toBe(1);
});

test("a QoS 2 message is acknowledged with PUBREC, whether or not the broker goes on", async () => {
  const { client, numbers } = await connected(sending({ qos: 2, messageId: 1 }));
  const acknowledged = new Promise<void>((resolve) => {
    client.on("packetsend", ({ cmd }) => cmd === "pubrec" && resolve());
  });
  client.subscribe("t");
  await acknowledged;
  expect(numbers()).toMatchObject({ received: 1, acks: 1 });
});

test.each([
  ["says nothing", {}, { connectTimeout: 30 }],
  ["closes at once", { connect: () => "close" }, {}],
] as const)("a broker that %s: an attempt and an error", async (_what, script, options) => {
  const { client, numbers } = await scripted({ connect: () => [], ...script }, options);
  client.connect();
  await seen(client, "close");
  expect(numbers()).toEqual({ connectAttempts: 1, connectErrors: 1 });
});

test("a second CONNACK is no second connection", async () => {
  const connack = { cmd: "connack", reasonCode: 0, sessionPresent: false };
  const { client, numbers } = await scripted({ connect: () => [connack, connack] });
  client.connect();
  await seen(client, "close");
  expect(numbers()).toMatchObject({ connectAttempts: 1, connects: 1, disconnects: 1, connectionLosses: 1 });
});

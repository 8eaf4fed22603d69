import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { counted, endNow, seen, tapOn } from "./mqtt.testing.ts";
import { type Broker, closedPort, mosquittoMissing, startAedes, startMosquitto } from "./mqtt-brokers.testing.ts";

const login = { username: "app", password: "right" };

const missing = mosquittoMissing();
if (missing !== null) console.log(`mosquitto is left out: ${missing}`);

const kinds = [
  { name: "aedes", protocolVersion: 4, start: startAedes, skip: false },
  { name: "mosquitto", protocolVersion: 4, start: startMosquitto, skip: missing !== null },
  { name: "mosquitto", protocolVersion: 5, start: startMosquitto, skip: missing !== null },
] as const;

for (const { name, protocolVersion, start, skip } of kinds) {
  describe.skipIf(skip)(`${name}, protocol version ${protocolVersion}`, () => {
    let broker: Broker;
    beforeAll(async () => {
      broker = await start();
    });
    afterAll(() => broker.stop());

    test("every counter agrees with the wire and with the one at the other end", async () => {
      const peer = await peerOf(broker);
      const tap = await tapOn(broker.port);
      const { client, numbers } = counted(tap.port, {
        ...login,
        protocolVersion,
        will: { topic: "out/will", payload: "gone", qos: 1 },
        ...(protocolVersion === 5 ? { autoAssignTopicAlias: true, properties: { topicAliasMaximum: 5 } } : {}),
      });
      client.connect();
      await seen(client, "connect");
      expect(numbers()).toMatchObject({ connected: 1, connectAttempts: 1, connects: 1 });

      await client.subscribeAsync(["in/0", "in/1", "in/2"], { qos: 2 });
      const arrived = seen(client, "message", 3 + 4 + 2);
      await publish(peer, "in/0", 0, 3);
      await publish(peer, "in/1", 1, 4);
      await publish(peer, "in/2", 2, 2);
      await arrived;

      await peer.subscribeAsync("out/#", { qos: 2 });
      const delivered = seen(peer, "message", 5 + 3 + 2);
      await publish(client, "out/grüße", 0, 5);
      await publish(client, "out/grüße", 1, 3);
      await publish(client, "out/2", 2, 2);
      await delivered;

      await client.unsubscribeAsync(["in/0", "in/1"]);
      await client.endAsync();
      await tap.idle();
      expect(tap.up.packets).toMatchObject({
        connect: 1,
        publish: 10,
        puback: 4,
        pubrec: 2,
        subscribe: 1,
        unsubscribe: 1,
      });
      expect(tap.down.packets).toMatchObject({ connack: 1, publish: 9, puback: 3, pubcomp: 2, suback: 1, unsuback: 1 });
      expect(numbers()).toEqual({
        connectAttempts: 1,
        connects: 1,
        disconnects: 1,
        sendAttempts: 5,
        sent: 5,
        sentUnconfirmed: 5,
        received: 9,
        acks: 6,
        subscribeAttempts: 3,
        subscribed: 3,
        unsubscribeAttempts: 2,
        unsubscribed: 2,
        bytesSent: tap.up.bytes,
        bytesReceived: tap.down.bytes,
      });
    });

    test("a bad login is refused, and counts as nothing else", async () => {
      const tap = await tapOn(broker.port);
      const { client, numbers } = counted(tap.port, { username: "app", password: "wrong", protocolVersion });
      client.connect();
      await seen(client, "close");
      expect(numbers()).toEqual({
        connectAttempts: 1,
        connectAuthErrors: 1,
        bytesSent: tap.up.bytes,
        bytesReceived: tap.down.bytes,
      });
    });

    test("of several topics each is granted or refused", async () => {
      const { client, numbers } = counted(broker.port, { ...login, protocolVersion });
      client.connect();
      await seen(client, "connect");
      await expect(client.subscribeAsync(["mine/#", "forbidden/a", "forbidden/b"])).rejects.toThrow();
      expect(numbers()).toMatchObject({ subscribeAttempts: 3, subscribed: 1, subscribeRefused: 2 });
    });

    test("a broker that dies: one loss, failed attempts, one return, and no message counted twice", async () => {
      const tap = await tapOn(broker.port);
      const { client, numbers } = counted(tap.port, { ...login, protocolVersion, reconnectPeriod: 10 });
      let refused = 0;
      client.on("error", (error) => {
        if (error.message.includes("ECONNREFUSED")) refused += 1;
      });
      client.connect();
      await seen(client, "connect");
      await client.subscribeAsync("mine", { qos: 1 });
      await client.publishAsync("other", "answered", { qos: 1 });

      tap.swallow.add("puback");
      const unanswered = client.publishAsync("other", "not answered", { qos: 1 });
      await tap.seen("puback");
      await Promise.all([seen(client, "close"), broker.stop(), tap.close()]);
      const queued = client.publishAsync("other", "waits for the connection", { qos: 1 });
      while (refused < 3) await seen(client, "error");
      expect(numbers()).toMatchObject({ sendAttempts: 2, sent: 1, disconnects: 1, connectionLosses: 1 });
      expect(numbers().connected).toBeUndefined();

      broker = await start(broker.port);
      tap.swallow.clear();
      await tap.open();
      await Promise.all([unanswered, queued, tap.seen("suback")]);
      await client.publishAsync("other", "as usual", { qos: 1 });
      const { bytesSent, bytesReceived, ...rest } = numbers();
      expect(rest).toEqual({
        connected: 1,
        connectAttempts: 2 + refused,
        connects: 2,
        reconnects: 1,
        connectErrors: refused,
        disconnects: 1,
        connectionLosses: 1,
        sendAttempts: 4,
        sent: 4,
        resends: 1,
        subscribeAttempts: 2,
        subscribed: 2,
      });
      expect([bytesSent, bytesReceived]).toEqual([tap.up.bytes, tap.down.bytes]);
    });

    test("a repeated message is known by the id in it", async () => {
      expect(await redelivered({ taken: "puback", byId: true })).toMatchObject({ received: 2, duplicates: 1, acks: 2 });
    });

    test("without an id, only a broker that sets DUP tells", async () => {
      const { duplicates } = await redelivered({ taken: "puback", byId: false });
      expect(duplicates).toBe(name === "mosquitto" ? 1 : undefined);
    });

    test("a message that is repeated because it never arrived is no duplicate to an id", async () => {
      expect(await redelivered({ taken: "publish", byId: true })).not.toHaveProperty("duplicates");
    });

    /** Lets a QoS 1 message, or its acknowledgement, get lost with the connection: the broker sends it once more. */
    async function redelivered({ taken, byId }: { readonly taken: "publish" | "puback"; readonly byId: boolean }) {
      const tap = await tapOn(broker.port);
      const { client, numbers } = counted(
        tap.port,
        {
          ...login,
          protocolVersion,
          clean: false,
          clientId: `redelivered-${taken}-${byId}`,
          reconnectPeriod: 10,
          ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
        },
        byId ? { messageId: (_topic, payload) => payload.toString() } : {},
      );
      client.connect();
      await seen(client, "connect");
      await client.subscribeAsync("twice", { qos: 1 });
      const peer = await peerOf(broker);
      tap.swallow.add(taken);
      const lost = tap.seen(taken);
      await peer.publishAsync("twice", "message 1", { qos: 1 });
      await lost;
      tap.cut();
      await seen(client, "close");
      tap.swallow.clear();
      await tap.seen("puback");
      return numbers();
    }
  });
}

test.skipIf(missing !== null)("MQTT 5: a message that may not be sent, and a client that is sent away", async () => {
  const broker = await startMosquitto();
  onTestFinished(() => broker.stop());
  const { client, numbers } = counted(broker.port, { ...login, protocolVersion: 5 });
  client.connect();
  await seen(client, "connect");
  await expect(client.publishAsync("forbidden/a", "x", { qos: 1 })).rejects.toThrow();
  await expect(client.publishAsync("forbidden/a", "x", { qos: 2 })).rejects.toThrow();
  expect(numbers()).toMatchObject({ sendAttempts: 2, sendAuthErrors: 2 });
  expect(numbers()).not.toHaveProperty("sent");

  client.publish("mine", "to be kept, which this broker does not allow", { retain: true });
  await seen(client, "close");
  expect(numbers()).toMatchObject({ brokerDisconnects: 1, connectionLosses: 1, disconnects: 1, sentUnconfirmed: 1 });
});

test.skipIf(missing !== null)("a broker killed with SIGKILL is a loss that it did not announce", async () => {
  const broker = await startMosquitto();
  const { client, numbers } = counted(broker.port, { ...login, protocolVersion: 5 });
  client.connect();
  await seen(client, "connect");
  const closed = seen(client, "close");
  await broker.kill();
  await closed;
  const { bytesSent, bytesReceived, ...rest } = numbers();
  expect(rest).toEqual({ connectAttempts: 1, connects: 1, disconnects: 1, connectionLosses: 1 });
});

test("a port where nobody listens: an attempt, an error, and no byte", async () => {
  const { client, numbers } = counted(await closedPort());
  client.connect();
  await seen(client, "close");
  expect(numbers()).toEqual({ connectAttempts: 1, connectErrors: 1 });
});

async function peerOf(broker: Broker): Promise<MqttClient> {
  const peer = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, login);
  onTestFinished(() => endNow(peer));
  return peer;
}

async function publish(client: MqttClient, topic: string, qos: 0 | 1 | 2, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await client.publishAsync(topic, `message ${n} ${"ä€😀".repeat(n * 20)}`, { qos });
}

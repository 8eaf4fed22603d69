import { connect, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Recorder } from "../record/recorder.ts";
import { counted, endNow, numbersOf, seen } from "./mqtt.testing.ts";
import { countMqtt, mqtt } from "./mqtt.ts";
import { type Broker, closedPort, startAedes } from "./mqtt-brokers.testing.ts";

let broker: Broker;
let recorder: Recorder;
beforeAll(async () => {
  broker = await startAedes();
});
afterAll(() => broker.stop());

const server = () => recorder.server(mqtt, 1, "mqtt://broker.example");
const connecting = (port = broker.port): MqttClient => {
  recorder = new Recorder();
  const client = connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
  client.on("error", () => {});
  onTestFinished(() => endNow(client));
  return client;
};

test("a client that is trying already: its attempt is counted with its outcome", async () => {
  const client = connecting();
  countMqtt(client, server());
  expect(numbersOf(recorder)).toEqual({});
  await seen(client, "connect");
  // What is missed are the bytes of the first CONNECT.
  expect(numbersOf(recorder)).toEqual({ connected: 1, connectAttempts: 1, connects: 1, bytesReceived: 4 });
});

test("the same where it fails", async () => {
  const client = connecting(await closedPort());
  countMqtt(client, server());
  await seen(client, "close");
  expect(numbersOf(recorder)).toEqual({ connectAttempts: 1, connectErrors: 1 });
});

test("a client that is connected already is counted from here on", async () => {
  const client = connecting();
  await seen(client, "connect");
  const before = client.publishAsync("t", "written before", { qos: 1 });
  countMqtt(client, server());
  await before;
  expect(numbersOf(recorder)).toEqual({ connected: 1, bytesReceived: 4 });
  await client.publishAsync("t", "written after", { qos: 1 });
  await client.endAsync();
  expect(numbersOf(recorder)).toMatchObject({ sendAttempts: 1, sent: 1, disconnects: 1 });
  expect(numbersOf(recorder)).not.toHaveProperty("connectionLosses");
});

test("after stop nothing is counted, and no listener is left", async () => {
  const client = connecting();
  const events = ["packetsend", "packetreceive", "connect", "close", "end", "error", "message"] as const;
  const listeners = () => events.map((event) => client.listenerCount(event));
  const before = listeners();
  const stop = countMqtt(client, server());
  // An emitter throws an `error` that nobody hears: listening would take that from a host that relies on it.
  expect(client.listenerCount("error")).toBe(before[events.indexOf("error")]);
  await seen(client, "connect");
  await client.publishAsync("t", "counted", { qos: 1 });
  stop();
  stop();
  expect(listeners()).toEqual(before);
  const atStop = numbersOf(recorder);
  expect(atStop).toMatchObject({ sendAttempts: 1, sent: 1 });
  expect(atStop).not.toHaveProperty("connected");
  await client.publishAsync("t", "not counted", { qos: 1 });
  await client.subscribeAsync("t");
  await client.endAsync();
  expect(numbersOf(recorder)).toEqual(atStop);
});

test("two clients on one key: the gauge tells how many are open", async () => {
  const first = connecting();
  const counts = recorder;
  const second = connecting();
  recorder = counts;
  const stop = countMqtt(first, server());
  countMqtt(second, server());
  await Promise.all([seen(first, "connect"), seen(second, "connect")]);
  expect(numbersOf(recorder)).toMatchObject({ connected: 2, connects: 2 });
  await second.endAsync();
  expect(numbersOf(recorder)).toMatchObject({ connected: 1 });
  stop();
  expect(numbersOf(recorder)).not.toHaveProperty("connected");
});

test("a host that connects anew without waiting: no attempt is counted twice, and no error", async () => {
  const { client, numbers } = counted(broker.port);
  client.connect();
  await seen(client, "connect");
  client.end(true);
  client.connect();
  await seen(client, "connect");
  expect(numbers()).toMatchObject({ connected: 1, connectAttempts: 2, connects: 2, disconnects: 1 });
  expect(Object.keys(numbers()).filter((name) => /Errors|Refused|Losses|reconnects/.test(name))).toEqual([]);
});

test("an attempt that the host gives up is no error", async () => {
  const { client, numbers } = counted(broker.port);
  client.connect();
  client.end(true);
  await seen(client, "close");
  expect(numbers()).toEqual({ connectAttempts: 1 });
});

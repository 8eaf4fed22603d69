/** The order of events that decides: told by a client that only emits them. */
import { EventEmitter } from "node:events";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Recorder } from "../record/recorder.ts";
import { numbersOf } from "./mqtt.testing.ts";
import { type CountMqttOptions, countMqtt, type MqttPacket, mqtt } from "./mqtt.ts";

function emitting({ connected = false, ...how }: CountMqttOptions & { readonly connected?: boolean } = {}) {
  const recorder = new Recorder();
  const client = Object.assign(new EventEmitter(), {
    connected,
    disconnecting: false,
    options: {},
    stream: { destroyed: true },
  });
  const stop = countMqtt(client, recorder.server(mqtt, 1, "s"), how);
  return {
    client,
    stop,
    recorder,
    sends: (cmd: string, fields: Partial<MqttPacket> = {}) => client.emit("packetsend", { cmd, ...fields }),
    gets: (cmd: string, fields: Partial<MqttPacket> = {}) => client.emit("packetreceive", { cmd, ...fields }),
    numbers: () => {
      const { bytesSent, bytesReceived, ...rest } = numbersOf(recorder);
      return rest;
    },
  };
}

test("an attempt that is left for another one is an error", () => {
  const { sends, gets, numbers } = emitting();
  sends("connect");
  sends("connect");
  gets("connack", { returnCode: 0 });
  expect(numbers()).toEqual({ connected: 1, connectAttempts: 2, connectErrors: 1, connects: 1 });
});

test("a host that ends the client gives up its attempt, whatever is said first", () => {
  for (const closing of ["disconnecting", "end"]) {
    const { client, sends, numbers } = emitting();
    sends("connect");
    if (closing === "end") client.emit("end");
    else client.disconnecting = true;
    client.emit("close");
    expect(numbers()).toEqual({ connectAttempts: 1 });
  }
});

test("after an end the next attempt counts as any other", () => {
  const { client, sends, numbers } = emitting();
  sends("connect");
  client.emit("end");
  client.emit("close");
  sends("connect");
  client.emit("close");
  expect(numbers()).toEqual({ connectAttempts: 2, connectErrors: 1 });
});

test("a return counts after a loss, not after an end", () => {
  const { client, sends, gets, numbers } = emitting();
  const comes = () => {
    sends("connect");
    gets("connack", { returnCode: 0 });
  };
  comes();
  client.emit("close");
  comes();
  client.disconnecting = true;
  client.emit("close");
  client.disconnecting = false;
  comes();
  expect(numbers()).toMatchObject({ connects: 3, disconnects: 2, connectionLosses: 1, reconnects: 1 });
});

test("a host that connects anew inside its own `close` listener, which it added first", () => {
  const recorder = new Recorder();
  const client = Object.assign(new EventEmitter(), { connected: true, disconnecting: false, options: {} });
  client.on("close", () => client.emit("packetsend", { cmd: "connect" }));
  countMqtt(client, recorder.server(mqtt, 1, "s"));
  client.emit("close");
  expect(numbersOf(recorder)).toEqual({ disconnects: 1, connectionLosses: 1, connectAttempts: 1 });
});

test("a topic alias ends with its connection", () => {
  const topics: string[] = [];
  const { sends, gets } = emitting({ messageId: (topic) => void topics.push(topic) });
  for (const topic of ["long/name", ""]) {
    sends("connect");
    gets("connack", { reasonCode: 0 });
    gets("publish", { topic, properties: { topicAlias: 1 } });
  }
  expect(topics).toEqual(["long/name", ""]);
});

test("an attempt without an answer costs no byte", () => {
  const { client, sends, recorder } = emitting();
  sends("connect", { protocolId: "MQTT", protocolVersion: 5, clientId: "c" });
  sends("auth");
  client.emit("close");
  expect(numbersOf(recorder)).toEqual({ connectAttempts: 1, connectErrors: 1 });
});

test("a request answered after its connection has gone counts nothing", () => {
  const { client, sends, gets, numbers } = emitting({ connected: true });
  sends("subscribe", { messageId: 1, subscriptions: [{ topic: "a" }] });
  sends("unsubscribe", { messageId: 2, unsubscriptions: ["a"] });
  client.emit("close");
  gets("suback", { messageId: 1, granted: [0] });
  gets("unsuback", { messageId: 2 });
  expect(numbers()).toEqual({ disconnects: 1, connectionLosses: 1, subscribeAttempts: 1, unsubscribeAttempts: 1 });
});

test("whatever comes in whatever order: nothing throws, nothing is rejected, and the sums fit", () => {
  const packet = fc.record(
    {
      cmd: fc.constantFrom(
        "connect",
        "connack",
        "publish",
        "puback",
        "pubrec",
        "pubcomp",
        "subscribe",
        "suback",
        "disconnect",
      ),
      messageId: fc.integer({ min: 1, max: 3 }),
      qos: fc.constantFrom(0, 1, 2),
      dup: fc.boolean(),
      reasonCode: fc.constantFrom(0, 16, 135, 151, 131),
      granted: fc.array(fc.constantFrom(0, 1, 128, 135)),
      subscriptions: fc.array(fc.record({ topic: fc.string() })),
      topic: fc.string(),
      length: fc.nat(),
    },
    { requiredKeys: ["cmd"] },
  );
  const step = fc.oneof(
    fc.tuple(fc.constantFrom("packetsend", "packetreceive"), packet),
    fc.tuple(fc.constantFrom("connect", "close", "end"), fc.constant(undefined)),
    fc.tuple(fc.constant("disconnecting"), fc.boolean()),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), (attachedOpen, steps) => {
      const { client, recorder, stop } = emitting({ connected: attachedOpen });
      for (const [name, given] of steps) {
        if (name === "disconnecting") client.disconnecting = given as boolean;
        else client.emit(name, given);
        expectSumsToFit(recorder, attachedOpen);
      }
      stop();
      expect(numbersOf(recorder).connected ?? 0).toBe(0);
      expect(Object.values(recorder.getServersStats().rejected).every((count) => count === 0)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

function expectSumsToFit(recorder: Recorder, attachedOpen: boolean): void {
  const numbers = numbersOf(recorder);
  const of = (...names: string[]) => names.reduce((sum, name) => sum + (numbers[name] ?? 0), 0);
  const holds = {
    sends: of("sent", "sendErrors", "sendAuthErrors", "sendQuotaErrors") <= of("sendAttempts"),
    connects: of("connects", "connectErrors", "connectRefused", "connectAuthErrors") <= of("connectAttempts"),
    open: of("connects") + (attachedOpen ? 1 : 0) === of("disconnects", "connected"),
    losses: of("reconnects") <= of("connectionLosses") && of("connectionLosses") <= of("disconnects"),
    topics: of("subscribed", "subscribeRefused") <= of("subscribeAttempts"),
    receipts: of("duplicates") <= of("received"),
  };
  expect(Object.entries(holds).filter(([, held]) => !held)).toEqual([]);
}

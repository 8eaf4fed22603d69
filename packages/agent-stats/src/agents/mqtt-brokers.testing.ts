/** For the tests of `agent-stats/mqtt`: real brokers, and one that does as it is told. */
import { type ChildProcess, spawn } from "node:child_process";
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";
import type { Packet } from "mqtt";
import { listen } from "./mqtt.testing.ts";

interface PacketCodec {
  writeToStream(packet: object, stream: object, options: { readonly protocolVersion: number }): boolean;
  generate(packet: object, options?: { readonly protocolVersion: number }): Buffer;
  parser(options: { readonly protocolVersion: number }): {
    on(event: "packet", listener: (packet: Packet) => void): void;
    parse(bytes: Buffer): void;
  };
}

/** The encoder inside MQTT.js, the very version that it runs. */
export const codec = createRequire(createRequire(import.meta.url).resolve("mqtt"))("mqtt-packet") as PacketCodec;

/** A port of the loopback interface on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}

export interface Broker {
  readonly port: number;
  stop(): Promise<void>;
}

/** A real broker in this process: MQTT 3.1.1. Refuses what lies under `forbidden/`, and the login `app` / `wrong`. */
export async function startAedes(onPort = 0): Promise<Broker> {
  const aedes = await Aedes.createBroker({
    authenticate: (_client, _user, password, done) =>
      password?.toString() === "wrong"
        ? done(Object.assign(new Error("refused"), { returnCode: 4 }), null)
        : done(null, true),
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, subscription.topic.startsWith("forbidden/") ? null : subscription),
  });
  const server = createServer(aedes.handle);
  const port = await listen(server, onPort);
  return {
    port,
    async stop() {
      await new Promise<void>((resolve) => aedes.close(resolve));
      server.close();
    },
  };
}

/** Why mosquitto cannot be tried here; null where it can. */
export function mosquittoMissing(): string | null {
  if (mosquittoProgram() === undefined) return "no `mosquitto` on this machine";
  if (mosquittoPlugin() === undefined) return "no dynamic-security plugin for mosquitto on this machine";
  return null;
}

function mosquittoProgram(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, "mosquitto")).find(existsSync);
}

function mosquittoPlugin(): string | undefined {
  const folders = ["/usr/lib", "/usr/local/lib"].filter(existsSync);
  const inside = folders.flatMap((folder) => [folder, ...readdirSync(folder).map((name) => join(folder, name))]);
  return inside.map((folder) => join(folder, "mosquitto_dynamic_security.so")).find(existsSync);
}

/** A real broker in its own process: MQTT 3.1.1 and 5.0. Login `app` / `right`; refuses what lies under `forbidden/`. */
export async function startMosquitto(port?: number): Promise<Broker & { kill(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "agent-stats-mosquitto-"));
  const onPort = port ?? (await closedPort());
  writeFileSync(join(folder, "security.json"), JSON.stringify(mosquittoSecurity()));
  const config = [
    `listener ${onPort} 127.0.0.1`,
    "allow_anonymous false",
    "retain_available false", // gives an MQTT 5 client a way to be sent away, with a DISCONNECT
    "user root", // without this, a broker that root starts becomes a user who cannot read this folder
    `plugin ${mosquittoPlugin()}`,
    `plugin_opt_config_file ${join(folder, "security.json")}`,
  ];
  writeFileSync(join(folder, "mosquitto.conf"), `${config.join("\n")}\n`);
  const broker = spawn(mosquittoProgram() as string, ["-c", join(folder, "mosquitto.conf")], { stdio: "pipe" });
  await said(broker, / running/);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (broker.exitCode === null && broker.signalCode === null) {
      const exited = once(broker, "exit");
      broker.kill(signal);
      await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  return { port: onPort, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
}

function said(broker: ChildProcess, words: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = "";
    broker.stderr?.on("data", (text: Buffer) => {
      log += text.toString();
      if (words.test(log)) resolve();
    });
    broker.once("exit", () => reject(new Error(`mosquitto did not start:\n${log}`)));
    broker.once("error", reject);
  });
}

function mosquittoSecurity(): object {
  const salt = randomBytes(12);
  const iterations = 101;
  const password = pbkdf2Sync("right", salt, iterations, 64, "sha512").toString("base64");
  const rights = ["publishClientSend", "subscribePattern"].flatMap((acltype) => [
    { acltype, topic: "forbidden/#", priority: 2, allow: false },
    { acltype, topic: "#", priority: 1, allow: true },
  ]);
  return {
    defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
    clients: [{ username: "app", password, salt: salt.toString("base64"), iterations, roles: [{ rolename: "app" }] }],
    roles: [{ rolename: "app", acls: rights }],
  };
}

/** What a scripted broker answers: packets, nothing, or the end of the connection. */
export type Answer = readonly object[] | "close";
export type Script = Readonly<Record<string, (packet: Packet) => Answer>>;

/** For what no real broker does when asked: answers each packet by its name; what the script leaves out, with success. */
export async function startScripted(script: Script, protocolVersion = 5): Promise<Broker> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const parser = codec.parser({ protocolVersion });
    parser.on("packet", (packet) => {
      const answer = (script[packet.cmd] ?? SUCCESS[packet.cmd])?.(packet) ?? [];
      if (answer === "close") socket.destroy();
      else for (const one of answer) socket.write(codec.generate(one, { protocolVersion }));
    });
    socket.on("data", (bytes: Buffer) => parser.parse(bytes));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    sockets.add(socket);
  });
  const port = await listen(server);
  return {
    port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const SUCCESS: Script = {
  connect: () => [{ cmd: "connack", reasonCode: 0, returnCode: 0, sessionPresent: false }],
  publish: ({ messageId, ...packet }) => {
    const { qos } = packet as { readonly qos: number };
    return qos === 0 ? [] : [{ cmd: qos === 1 ? "puback" : "pubrec", messageId, reasonCode: 0 }];
  },
  pubrel: ({ messageId }) => [{ cmd: "pubcomp", messageId, reasonCode: 0 }],
  subscribe: ({ messageId, ...packet }) => [
    { cmd: "suback", messageId, granted: (packet as { readonly subscriptions: unknown[] }).subscriptions.map(() => 0) },
  ],
};

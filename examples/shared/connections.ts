import type { Recorder } from "agent-stats";
import { countMqtt, mqtt } from "agent-stats/mqtt";
import { connect, type MqttClient } from "mqtt";

/** One message that a user sends through a server. */
export interface Message {
  readonly userId: number;
  readonly server: string;
  readonly topic: string;
  readonly text: string;
  /** False: the broker will not answer, so only its writing is waited for. */
  readonly answered: boolean;
}

/** The agent's work: one real MQTT connection for each user and server. */
export interface Connections {
  /** Publishes, and waits until the broker has acknowledged. */
  send(message: Message): Promise<void>;
  close(): Promise<void>;
}

/** Connects every user to every server, each connection counted from its first packet on. */
export async function openConnections(
  counting: Pick<Recorder, "server">,
  users: readonly number[],
  servers: readonly string[],
): Promise<Connections> {
  const keys = servers.flatMap((server) => users.map((userId) => ({ userId, server })));
  const clients = new Map<string, MqttClient>();
  const open = async ({ userId, server }: (typeof keys)[number]) => {
    const client = connect(server, { manualConnect: true });
    countMqtt(client, counting.server(mqtt, userId, server));
    client.connect();
    await new Promise<void>((resolve) => client.once("connect", () => resolve()));
    clients.set(`${userId} ${server}`, client);
  };
  await Promise.all(keys.map(open));

  return {
    async send({ userId, server, topic, text, answered }) {
      const client = clients.get(`${userId} ${server}`);
      if (!client) throw new Error("no such connection");
      if (answered) return void (await client.publishAsync(topic, text, { qos: 1 }));
      const written = new Promise<void>((resolve) => client.once("packetsend", () => resolve()));
      // What is never answered fails when the connection ends: the chat has long gone on.
      client.publish(topic, text, { qos: 1 }, () => {});
      await written;
    },
    async close() {
      // By force: a message that is never answered would be waited for.
      await Promise.all([...clients.values()].map((client) => client.endAsync(true)));
    },
  };
}

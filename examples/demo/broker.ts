/**
 * One MQTT broker, a process of its own, which keeps its own tally of what it accepted and delivered, per user. It
 * knows nothing of agent-stats and shares no code with it: that makes it a witness.
 */

import { createServer, type Server } from "node:net";
import { Aedes, type Client } from "aedes";
import type { BrokerEvent } from "./evidence.ts";
import type { BrokerOrder, BrokerTold, Tally } from "./wire.ts";

interface Noted extends Tally {
  readonly times: Record<BrokerEvent, number[]>;
}

/** By client id: one entry for each user and run. */
const noted = new Map<string, Noted>();

function note(client: Client | null | undefined, event: BrokerEvent): void {
  if (client) noted.get(client.id)?.times[event].push(Date.now());
}

async function startBroker(): Promise<Aedes> {
  const broker = await Aedes.createBroker({
    authenticate(client, username, _password, done) {
      const times = { accepted: [], delivered: [], acknowledged: [] };
      if (!noted.has(client.id)) noted.set(client.id, { userId: username ?? "", clientId: client.id, times });
      done(null, true);
    },
    // aedes acknowledges right after this says yes: from here on the message is the broker's.
    authorizePublish(client, _packet, done) {
      note(client, "accepted");
      done(null);
    },
    // The last moment before a message is written to one who subscribed.
    authorizeForward(client, packet) {
      note(client, "delivered");
      return packet;
    },
  });
  broker.on("ack", (_packet, client) => note(client, "acknowledged"));
  return broker;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // Port 0: the system picks a free one.
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address !== null && typeof address === "object") resolve(address.port);
    });
  });
}

/** Waits until the last connection is gone: what a killed host had written is still on its way for a moment. */
async function settled(server: Server): Promise<void> {
  for (let waitedMs = 0; waitedMs < 5_000; waitedMs += 20) {
    const connections = await new Promise<number>((resolve) =>
      server.getConnections((_error, count) => resolve(count)),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (connections === 0) return;
  }
}

function tell(told: BrokerTold): void {
  process.send?.(told);
}

const broker = await startBroker();
const server = createServer((socket) => void broker.handle(socket));

process.on("message", async ({ order }: BrokerOrder) => {
  if (order === "start") return tell({ told: "listening", port: await listen(server) });
  await settled(server);
  tell({ told: "tally", tallies: [...noted.values()] });
});
// Ctrl-C reaches every process of a terminal at once: the conductor ends its brokers, and so does its own end.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));

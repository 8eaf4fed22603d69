/** One real MQTT broker, a process of its own, with messages that it never acknowledges, as there are in life. */

import { createServer } from "node:net";
import { Aedes } from "aedes";
import { serveCalls } from "./calls.ts";
import { UNANSWERED } from "./topics.ts";

export interface BrokerCalls {
  /** @returns its port on the loopback interface */
  listen(): Promise<number>;
}

const broker = await Aedes.createBroker({
  authorizePublish: (_client, packet, done) => {
    if (!packet.topic.startsWith(UNANSWERED)) done(null);
  },
});
const server = createServer((socket) => void broker.handle(socket));

serveCalls<BrokerCalls>(process, {
  listen: () =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      // Port 0: the system picks a free one.
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        if (address !== null && typeof address === "object") resolve(address.port);
      });
    }),
});
process.on("disconnect", () => process.exit(0));

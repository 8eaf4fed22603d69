/** An MQTT client as the library sees one, that has a life full of topics: sent, received, refused, with every packet that names one. */
import { EventEmitter } from "node:events";
import { MARK } from "../../oracle/canary.ts";

export const TOPIC = `rooms/${MARK}/messages`;

export class TalkingClient extends EventEmitter {
  readonly options = { protocolVersion: 5, clientId: MARK, username: MARK, password: MARK };
  readonly disconnecting = false;
  connected = false;

  #sends(cmd: string, fields: object = {}): void {
    this.emit("packetsend", { cmd, ...fields });
  }

  #gets(cmd: string, fields: object = {}): void {
    this.emit("packetreceive", { cmd, length: 9, ...fields });
  }

  /** Connects, asks for topics, sends and receives: half of it is refused, and the connection is lost. */
  live(): void {
    this.#sends("connect", { clientId: MARK, username: MARK, will: { topic: TOPIC, payload: MARK } });
    this.connected = true;
    this.#gets("connack", { reasonCode: 0, properties: { reasonString: MARK } });
    this.emit("connect");
    this.#sends("subscribe", { messageId: 1, subscriptions: [{ topic: TOPIC }, { topic: `${TOPIC}/#` }] });
    this.#gets("suback", { messageId: 1, granted: [0, 135], properties: { reasonString: TOPIC } });
    for (const [messageId, reasonCode] of [0, 135, 151, 144].entries()) {
      this.#sends("publish", { messageId, qos: 1, topic: TOPIC, payload: MARK, properties: { responseTopic: TOPIC } });
      this.#gets("puback", { messageId, reasonCode, properties: { reasonString: TOPIC } });
    }
    this.#gets("publish", {
      messageId: 7,
      qos: 1,
      topic: TOPIC,
      payload: Buffer.from(MARK),
      properties: { topicAlias: 1 },
    });
    this.#gets("publish", { messageId: 7, qos: 1, dup: true, topic: "", payload: "", properties: { topicAlias: 1 } });
    this.#sends("puback", { messageId: 7 });
    // What no broker and no host would say: nothing that only counts may throw, or repeat it.
    for (const topic of [null, { [TOPIC]: TOPIC }, Symbol(TOPIC)]) this.#gets("publish", { topic, payload: topic });
    this.#gets("disconnect", { reasonCode: 142, properties: { serverReference: TOPIC } });
    this.connected = false;
    this.emit("close");
  }
}

import { setTimeout as wait } from "node:timers/promises";
import { serialize } from "node:v8";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { type ChannelLike, connectRecorder, keepStats, memoryStore, Recorder, serveRecorder } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";
import { loadOn } from "./load.ts";

/** What goes between an agent and the chat that keeps its statistics. */
export interface Messages {
  readonly perSave: Amount;
  readonly perLook: Amount;
  readonly idle: Amount;
  /** The past that is handed to an agent at its start (option 2). */
  readonly pastBytes: number;
}

export interface Amount {
  readonly messages: number;
  readonly bytes: number;
}

const SAVES = 20;
const SAVE_EVERY_MS = 50;
/** How many saves would fit in the time that is watched. */
export const IDLE_INTERVALS = 40;

/** Counts the messages of options 1 and 2. In options 3 and 4 saving takes none. */
export async function measureMessages(): Promise<Messages> {
  const { port1, port2 } = new MessageChannel();
  const sent = { messages: 0, bytes: 0 };
  const recorder = new Recorder({ protocols: [mqtt] });
  serveRecorder(recorder, counted(port1, sent));
  const stats = await keepStats({
    agent: connectRecorder(counted(port2, sent)),
    protocols: [mqtt],
    store: memoryStore(),
    flushEvery: SAVE_EVERY_MS,
  });
  const during = async (what: () => unknown): Promise<Amount> => {
    const before = { ...sent };
    await what();
    return { messages: sent.messages - before.messages, bytes: sent.bytes - before.bytes };
  };
  const count = loadOn(recorder);
  /** Long enough for the save that was on its way to be made. */
  const calm = () => wait(3 * SAVE_EVERY_MS);

  count();
  await calm();
  const all = await during(async () => {
    for (let n = 0; n < SAVES; n++) {
      count();
      await calm();
    }
  });
  const idle = await during(() => wait(IDLE_INTERVALS * SAVE_EVERY_MS));
  const perLook = await during(() => stats.getServersStats());
  const pastBytes = serialize((await stats.getServersStats()).servers).length;
  await stats.close();
  port1.close();
  return { perSave: { messages: all.messages / SAVES, bytes: all.bytes / SAVES }, perLook, idle, pastBytes };
}

/** The port, with a note of everything that is posted. */
function counted(port: MessagePort, sent: { messages: number; bytes: number }): ChannelLike {
  const postMessage = (message: unknown) => {
    sent.messages += 1;
    sent.bytes += serialize(message).length;
    port.postMessage(message);
  };
  return {
    postMessage,
    on: (event, listener) => port.on(event as "message", listener),
    ref: () => port.ref(),
    unref: () => port.unref(),
  };
}

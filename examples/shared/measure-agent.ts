/** The agent of the measurements, a process: it counts, and keeps by itself, is kept by its chat, or is not kept. */

import { openAgentStats, Recorder, serveRecorder } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { serveCalls } from "./calls.ts";
import { loadOn } from "./load.ts";
import { channelToChat, leaveWithChat } from "./program.ts";

/** In whose database the statistics are; null: nobody keeps them. */
export type KeptBy = "chat" | "agent" | null;

export interface CountingAgentCalls {
  count(settings: {
    readonly keptBy: KeptBy;
    readonly saveEveryMs: number;
    readonly file: string;
    readonly key: string;
  }): Promise<void>;
}

/** Everything changes between two saves, also when they are as close together as can be. */
const COUNT_EVERY_MS = 10;

serveCalls<CountingAgentCalls>(channelToChat(), {
  async count({ keptBy, saveEveryMs, file, key }) {
    const recorder =
      keptBy === "agent"
        ? await openAgentStats({ protocols: [mqtt], store: sqlcipherStore({ file, key }), flushEvery: saveEveryMs })
        : new Recorder({ protocols: [mqtt] });
    if (recorder instanceof Recorder && keptBy === "chat") serveRecorder(recorder, channelToChat());
    const count = loadOn(recorder);
    count();
    setInterval(count, COUNT_EVERY_MS);
  },
});
leaveWithChat();

/** The chat of the measurements, a process: it stores messages at a steady pace, and tells how long each took. */

import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { connectRecorder, keepStats, type StatsStore } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";
import { sqliteStore } from "agent-stats/sqlite";
import { callsOf, serveCalls } from "./calls.ts";
import { type ChatDb, openChat } from "./chat-db.ts";
import type { CountingAgentCalls, KeptBy } from "./measure-agent.ts";
import { channelToChat, startProgram } from "./program.ts";

export interface InsertSettings {
  readonly folder: string;
  readonly key: string;
  readonly keptBy: KeptBy;
  readonly saveEveryMs: number;
  readonly inserts: number;
}

export interface InsertTimes {
  /** For each message, from when it came until it was stored. */
  readonly tookMs: readonly number[];
  /** For each save in the chat's database, how long it held the chat's thread. */
  readonly heldMs: readonly number[];
}

export interface InsertingChatCalls {
  insert(settings: InsertSettings): Promise<InsertTimes>;
}

/** After one message is stored, until the next one comes. */
const INSERT_EVERY_MS = 3;
const WARM_UP = 100;

serveCalls<InsertingChatCalls>(channelToChat(), {
  async insert({ folder, key, keptBy, saveEveryMs, inserts }) {
    const chat = openChat(join(folder, "chat.db"), key);
    const child = startProgram("./measure-agent.js", import.meta.url);
    const heldMs: number[] = [];
    if (keptBy === "chat") {
      const store = timed(sqliteStore(chat.handle), heldMs);
      await keepStats({ agent: connectRecorder(child), protocols: [mqtt], store, flushEvery: saveEveryMs });
    }
    const agent = callsOf<CountingAgentCalls>(child);
    await agent.ask("count", { keptBy, saveEveryMs, file: join(folder, "agent.db"), key });
    const tookMs = await insertSteadily(chat, inserts + WARM_UP);
    return { tookMs: tookMs.slice(WARM_UP), heldMs };
  },
});
process.on("disconnect", () => process.exit(0));

/** A store that notes how long each save runs before it lets others have the thread. */
function timed(store: StatsStore, heldMs: number[]): StatsStore {
  return {
    ...store,
    save(batch) {
      const begun = performance.now();
      const saving = store.save(batch);
      heldMs.push(performance.now() - begun);
      return saving;
    },
  };
}

/**
 * A message that comes while the thread or the database is taken waits, and its waiting counts. The next one comes a
 * while after it: so a disk that hangs for a moment meets one message, and not all that would have queued up.
 */
async function insertSteadily(chat: ChatDb, inserts: number): Promise<number[]> {
  const insert = chat.handle.prepare("INSERT INTO messages (user_id, server, text) VALUES (1, 'x', ?)");
  const text = "a message of a usual length, as people write them to each other all day".repeat(2);
  const tookMs: number[] = [];
  for (let n = 0; n < inserts; n++) {
    const due = performance.now() + INSERT_EVERY_MS;
    // Timers are too coarse. Each turn lets others work in this thread: saves, where they happen here.
    while (performance.now() < due) await nextTurn();
    insert.run([text]);
    tookMs.push(performance.now() - due);
  }
  return tookMs;
}

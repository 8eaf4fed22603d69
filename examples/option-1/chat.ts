/**
 * Option 1 of the RFC: the statistics stand in the chat's own database, and the agent counts only its session.
 * The chat keeps; the agent, in a worker thread, only counts.
 */

import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { connectRecorder, keepStats } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";
import { sqliteStore } from "agent-stats/sqlite";
import { callsOf } from "../shared/calls.ts";
import { openChat } from "../shared/chat-db.ts";
import type { Connections } from "../shared/connections.ts";
import { serveChat } from "../shared/program.ts";
import { viewsOf } from "../shared/views.ts";

serveChat(async ({ folder, chatKey, servers }) => {
  const chat = openChat(join(folder, "chat.db"), chatKey);
  const worker = new Worker(new URL("./agent.js", import.meta.url), {
    workerData: { users: chat.users(), servers },
  });
  const stats = await keepStats({
    agent: connectRecorder(worker),
    protocols: [mqtt],
    store: sqliteStore(chat.handle),
  });
  const agent = callsOf<Connections>(worker);

  return {
    send: (messages) => chat.deliver(messages, (message) => agent.ask("send", message)),
    flush: () => stats.flush(),
    look: async () => viewsOf(await stats.getServersStats()),
    async deleteUser(userId) {
      chat.deleteUser(userId);
      await stats.deleteUser(userId);
    },
    reset: () => stats.reset(),
    async close() {
      await agent.ask("close");
      await stats.close();
      await worker.terminate();
      chat.close();
    },
  };
});

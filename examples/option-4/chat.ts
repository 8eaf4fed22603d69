/**
 * Option 4 of the RFC: the statistics stand in the agent's own database, and the agent starts from the past.
 * The chat only asks; the agent, in a worker thread, counts, keeps, and restores its counters by itself.
 */

import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { callsOf } from "../shared/calls.ts";
import { openChat } from "../shared/chat-db.ts";
import { serveChat } from "../shared/program.ts";
import type { AgentCalls } from "./agent.ts";

serveChat(async ({ folder, chatKey, agentKey, servers }) => {
  const chat = openChat(join(folder, "chat.db"), chatKey);
  const worker = new Worker(new URL("./agent.js", import.meta.url), {
    workerData: { file: join(folder, "agent.db"), key: agentKey, users: chat.users(), servers },
  });
  const agent = callsOf<AgentCalls>(worker);

  return {
    send: (messages) => chat.deliver(messages, (message) => agent.ask("send", message)),
    flush: () => agent.ask("flush"),
    look: () => agent.ask("look"),
    async deleteUser(userId) {
      chat.deleteUser(userId);
      await agent.ask("deleteUser", userId);
    },
    reset: () => agent.ask("reset"),
    async close() {
      await agent.ask("close");
      await worker.terminate();
      chat.close();
    },
  };
});

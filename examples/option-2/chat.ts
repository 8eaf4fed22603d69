/**
 * Option 2 of the RFC: the statistics stand in the chat's own database, and the agent starts from the past.
 * The chat keeps, and tells the agent at its start what the counters stood at; the agent is a process of its own.
 */

import { join } from "node:path";
import { connectRecorder, keepStats, readAgentStats } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";
import { sqliteStore } from "agent-stats/sqlite";
import { callsOf } from "../shared/calls.ts";
import { openChat } from "../shared/chat-db.ts";
import { serveChat, startProgram } from "../shared/program.ts";
import { viewsOf } from "../shared/views.ts";
import type { AgentCalls } from "./agent.ts";

serveChat(async ({ folder, chatKey, servers }) => {
  const chat = openChat(join(folder, "chat.db"), chatKey);
  const store = sqliteStore(chat.handle);
  // Before anything is kept: the agent that would be asked for its numbers waits for these.
  const past = await readAgentStats({ store }).getServersStats();
  const child = startProgram("./agent.js", import.meta.url);
  const stats = await keepStats({ agent: connectRecorder(child), protocols: [mqtt], store });
  const agent = callsOf<AgentCalls>(child);
  await agent.ask("open", { users: chat.users(), servers, startFrom: past.servers });

  return {
    send: (messages) => chat.deliver(messages, (message) => agent.ask("send", message)),
    flush: () => stats.flush(),
    look: async () => viewsOf(await stats.getServersStats(), await agent.ask("counters")),
    async deleteUser(userId) {
      chat.deleteUser(userId);
      await stats.deleteUser(userId);
    },
    reset: () => stats.reset(),
    async close() {
      await agent.ask("close");
      await stats.close();
      child.kill();
      chat.close();
    },
  };
});

/**
 * Option 3 of the RFC: the statistics stand in the agent's own database, and the agent tells past and session apart.
 * The chat only asks; the agent, a process of its own, counts and keeps.
 */

import { join } from "node:path";
import { callsOf } from "../shared/calls.ts";
import { openChat } from "../shared/chat-db.ts";
import { serveChat, startProgram } from "../shared/program.ts";
import type { AgentCalls } from "./agent.ts";

serveChat(async ({ folder, chatKey, agentKey, servers }) => {
  const chat = openChat(join(folder, "chat.db"), chatKey);
  const child = startProgram("./agent.js", import.meta.url);
  const agent = callsOf<AgentCalls>(child);
  await agent.ask("open", { file: join(folder, "agent.db"), key: agentKey, users: chat.users(), servers });

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
      child.kill();
      chat.close();
    },
  };
});

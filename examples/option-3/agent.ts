/** The agent of option 3, a process: it counts from zero, and keeps past and session in a database of its own. */

import { type AgentStats, openAgentStats } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { serveCalls } from "../shared/calls.ts";
import { type Connections, openConnections } from "../shared/connections.ts";
import { channelToChat, leaveWithChat } from "../shared/program.ts";
import { type Views, viewsOf } from "../shared/views.ts";

interface AgentSettings {
  readonly file: string;
  readonly key: string;
  readonly users: readonly number[];
  readonly servers: readonly string[];
}

export interface AgentCalls extends Connections {
  open(settings: AgentSettings): Promise<void>;
  flush(): Promise<void>;
  look(): Promise<Views>;
  deleteUser(userId: number): Promise<void>;
  reset(): Promise<void>;
}

let stats: AgentStats;
let connections: Connections;

serveCalls<AgentCalls>(channelToChat(), {
  async open({ file, key, users, servers }) {
    // The users' records are in another database: whoever was deleted there, and by a crash not here, is dropped.
    stats = await openAgentStats({ protocols: [mqtt], store: sqlcipherStore({ file, key }), users: () => users });
    connections = await openConnections(stats, users, servers);
  },
  send: (message) => connections.send(message),
  flush: () => stats.flush(),
  look: async () => viewsOf(await stats.getServersStats()),
  deleteUser: async (userId) => void (await stats.deleteUser(userId)),
  reset: () => stats.reset(),
  async close() {
    await connections.close();
    await stats.close();
  },
});
leaveWithChat();

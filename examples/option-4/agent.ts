/** The agent of option 4, a worker thread: its counters hold overall numbers, out of a database of its own. */

import { workerData } from "node:worker_threads";
import { openAgentStats } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { serveCalls } from "../shared/calls.ts";
import { type Connections, openConnections } from "../shared/connections.ts";
import { channelToChat } from "../shared/program.ts";
import { type Views, viewsOf } from "../shared/views.ts";

interface AgentSettings {
  readonly file: string;
  readonly key: string;
  readonly users: readonly number[];
  readonly servers: readonly string[];
}

export interface AgentCalls extends Connections {
  flush(): Promise<void>;
  look(): Promise<Views>;
  deleteUser(userId: number): Promise<void>;
  reset(): Promise<void>;
}

const { file, key, users, servers } = workerData as AgentSettings;

async function open() {
  const stats = await openAgentStats({
    protocols: [mqtt],
    store: sqlcipherStore({ file, key }),
    startFrom: "past",
    // The users' records are in another database: whoever was deleted there, and by a crash not here, is dropped.
    users: () => users,
  });
  return { stats, connections: await openConnections(stats, users, servers) };
}

// Whoever calls meanwhile waits: what arrives before somebody listens can be lost.
const opened = open();
serveCalls<AgentCalls>(channelToChat(), {
  send: async (message) => (await opened).connections.send(message),
  flush: async () => (await opened).stats.flush(),
  async look() {
    const { stats } = await opened;
    return viewsOf(await stats.getServersStats(), stats.recorder.getServersStats().servers);
  },
  deleteUser: async (userId) => void (await (await opened).stats.deleteUser(userId)),
  reset: async () => (await opened).stats.reset(),
  async close() {
    const { stats, connections } = await opened;
    await connections.close();
    await stats.close();
  },
});

/** The agent of option 1, a worker thread: it counts from zero, and tells whoever keeps it. */

import { workerData } from "node:worker_threads";
import { Recorder, serveRecorder } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";
import { serveCalls } from "../shared/calls.ts";
import { type Connections, openConnections } from "../shared/connections.ts";
import { channelToChat } from "../shared/program.ts";

const chat = channelToChat();
const { users, servers } = workerData as { users: number[]; servers: string[] };

const recorder = new Recorder({ protocols: [mqtt] });
serveRecorder(recorder, chat);

const connections = openConnections(recorder, users, servers);
serveCalls<Connections>(chat, {
  send: async (message) => (await connections).send(message),
  close: async () => (await connections).close(),
});

/** The agent of option 2, a process: its counters hold overall numbers from the first moment. */

import { type PastOfServer, type RecordedServer, Recorder, serveRecorder } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";
import { serveCalls } from "../shared/calls.ts";
import { type Connections, openConnections } from "../shared/connections.ts";
import { channelToChat, leaveWithChat } from "../shared/program.ts";

interface AgentSettings {
  readonly users: readonly number[];
  readonly servers: readonly string[];
  readonly startFrom: readonly PastOfServer[];
}

export interface AgentCalls extends Connections {
  open(settings: AgentSettings): Promise<void>;
  counters(): readonly RecordedServer[];
}

let recorder: Recorder;
let connections: Connections;

serveCalls<AgentCalls>(channelToChat(), {
  async open({ users, servers, startFrom }) {
    recorder = new Recorder({ protocols: [mqtt], startFrom });
    serveRecorder(recorder, channelToChat());
    connections = await openConnections(recorder, users, servers);
  },
  send: (message) => connections.send(message),
  counters: () => recorder.getServersStats().servers,
  close: () => connections.close(),
});
leaveWithChat();

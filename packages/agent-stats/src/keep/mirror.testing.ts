/** For tests of an agent elsewhere: one in this thread, behind a channel that can be lost. */
import { once } from "node:events";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { afterEach, expect } from "vitest";
import { smp } from "../record/channels.testing.ts";
import { connectRecorder, type RemoteAgent } from "../record/connect.ts";
import { Recorder } from "../record/recorder.ts";
import { serveRecorder } from "../record/serve.ts";
import { memoryStore } from "../store/memory.ts";
import { MemoryDatabase } from "../store/memory-database.ts";
import type { ServersStats } from "../summarise/servers-stats.ts";
import { type AgentStats, type KeepAgentOptions, keepStats } from "./open.ts";

/** The overall counters, as `user server` → numbers. */
export function overall({ servers }: Pick<ServersStats, "servers">): Record<string, Readonly<Record<string, number>>> {
  return Object.fromEntries(servers.map((server) => [`${server.userId} ${server.server}`, server.overall]));
}

export class LocalAgent {
  readonly recorder = new Recorder({ protocols: [smp] });
  /** How many messages its hosts sent. */
  messages = 0;
  #port: MessagePort | null = null;

  /** A new host's way to it. */
  connect(): RemoteAgent {
    return connectRecorder(this.#serve());
  }

  /** The same host's next way to it. */
  reconnect(remote: RemoteAgent): void {
    remote.attach(this.#serve());
  }

  async loseChannel(): Promise<void> {
    const port = this.#port;
    this.#port = null;
    port?.close();
    if (port) await once(port, "close");
  }

  end(): void {
    this.#port?.close();
  }

  #serve(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    serveRecorder(this.recorder, port1);
    port1.on("message", () => {
      this.messages += 1;
    });
    port1.unref();
    this.#port = port1;
    return port2;
  }
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A host that keeps that agent until the test is over, and has no problem; saved when the test says so. */
export async function hostOf(agent: KeepAgentOptions["agent"], database = new MemoryDatabase()): Promise<AgentStats> {
  const options = { agent, protocols: [smp], store: memoryStore(database), flushEvery: 3_600_000 };
  const stats = await keepStats({ ...options, onProblem: (problem) => expect(problem).toBeNull() });
  cleanUps.push(() => stats.close());
  return stats;
}

/** An agent that ends with the test. */
export function newAgent(): LocalAgent {
  const agent = new LocalAgent();
  cleanUps.push(() => agent.end());
  return agent;
}

export function count(agent: LocalAgent, user: string | number, n: number): void {
  agent.recorder.server(smp, user, "smp://a").add("sent", n);
}

/** How the programs of the examples are started, and what they can be told. */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parentPort } from "node:worker_threads";
import type { ChannelLike } from "agent-stats";
import { serveCalls } from "./calls.ts";
import type { Message } from "./connections.ts";
import type { Views } from "./views.ts";

/** What a chat is opened with. A real one has its keys in the system's keychain. */
export interface ChatSettings {
  /** Where its database lies, and the agent's where that has one. */
  readonly folder: string;
  readonly chatKey: string;
  readonly agentKey: string;
  readonly servers: readonly string[];
}

/** What every chat can be told, whatever keeps its statistics. */
export interface Chat {
  /** Stores messages, sends them, marks those that were acknowledged. */
  send(messages: readonly Message[]): Promise<void>;
  flush(): Promise<void>;
  look(): Promise<Views>;
  deleteUser(userId: number): Promise<void>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface ChatCalls extends Chat {
  open(settings: ChatSettings): Promise<void>;
}

/** Makes this process a chat, which lives as long as whoever started it. */
export function serveChat(open: (settings: ChatSettings) => Promise<Chat>): void {
  let chat: Chat | undefined;
  const opened = () => {
    if (!chat) throw new Error("the chat is not open");
    return chat;
  };
  serveCalls<ChatCalls>(process, {
    async open(settings) {
      chat = await open(settings);
    },
    send: (messages) => opened().send(messages),
    flush: () => opened().flush(),
    look: () => opened().look(),
    deleteUser: (userId) => opened().deleteUser(userId),
    reset: () => opened().reset(),
    async close() {
      await opened().close();
      setImmediate(() => process.disconnect());
    },
  });
  process.on("disconnect", () => process.exit(0));
}

/** Starts a program beside the caller's own. It shares the caller's output. */
export function startProgram(path: string, from: string): ChildProcess {
  // IPC copies what a worker's messages copy too: dates, maps, typed arrays.
  return fork(fileURLToPath(new URL(path, from)), [], { execArgv: [], serialization: "advanced" });
}

/** For an agent in a process of its own: it ends when its chat is gone, and saves as it ends. */
export function leaveWithChat(): void {
  process.on("disconnect", () => process.exit(0));
}

/** The channel to whoever started this thread or process. */
export function channelToChat(): ChannelLike {
  return parentPort ?? process;
}

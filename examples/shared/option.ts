import { randomBytes } from "node:crypto";
import { type Child, startChild } from "./children.ts";
import type { Chat, ChatCalls, ChatSettings } from "./program.ts";
import { areExpected, type Lives, playScript, type Step } from "./script.ts";

/** The four options of the RFC. */
export const OPTIONS = [1, 2, 3, 4] as const;
export type OptionNumber = (typeof OPTIONS)[number];

export interface Outcome {
  readonly option: OptionNumber;
  readonly steps: readonly Step[];
  readonly ok: boolean;
  /** Why the script did not come to its end. */
  readonly error?: string;
}

/** What an option runs on: an empty folder, keys of its own, and brokers that all options share. */
export function settingsFor(folder: string, servers: readonly string[]): ChatSettings {
  const newKey = () => randomBytes(32).toString("hex");
  return { folder, servers, chatKey: newKey(), agentKey: newKey() };
}

/** The process of an option's chat: started, killed, and started again over the same files. */
export function livesOf(option: OptionNumber, settings: ChatSettings, programs: URL): Lives {
  let child: Child<ChatCalls> | undefined;
  const running = () => {
    if (!child) throw new Error("the chat was not started");
    return child;
  };
  return {
    async start() {
      child = startChild<ChatCalls>(`option-${option}/chat.js`, programs);
      await child.ask("open", settings);
      return chatBy(child.ask);
    },
    kill() {
      running().kill();
      return running().ended();
    },
    async signal(signal) {
      running().signal(signal);
      await running().ended();
    },
    ended: () => running().ended(),
  };
}

/** Plays the script with one option. Never throws: what went wrong is told. */
export async function playOption(
  option: OptionNumber,
  lives: Lives,
  servers: readonly string[],
  onStep: (step: Step) => void,
): Promise<Outcome> {
  const steps: Step[] = [];
  const take = (step: Step) => {
    steps.push(step);
    onStep(step);
  };
  try {
    await playScript(lives, servers, take);
    return { option, steps, ok: areExpected(steps, servers.length) };
  } catch (error) {
    return { option, steps, ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

function chatBy(ask: Child<ChatCalls>["ask"]): Chat {
  return {
    send: (messages) => ask("send", messages),
    flush: () => ask("flush"),
    look: () => ask("look"),
    deleteUser: (userId) => ask("deleteUser", userId),
    reset: () => ask("reset"),
    close: () => ask("close"),
  };
}

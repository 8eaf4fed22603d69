import { newFolder } from "./folders.ts";
import { livesOf, type OptionNumber, settingsFor } from "./option.ts";
import { messages } from "./script.ts";

/** What is lost when the process of the chat, and it alone, is ended right after something was counted. */
export interface Lost {
  readonly SIGTERM: number;
  readonly SIGKILL: number;
}

const USERS = [1, 2];
const EACH = 20;

/** How many messages are counted before the signal, over all users and servers. */
export const countedBefore = (servers: readonly string[]): number => USERS.length * servers.length * EACH;

export async function measureEndings(option: OptionNumber, servers: readonly string[], programs: URL): Promise<Lost> {
  const lost = async (signal: "SIGTERM" | "SIGKILL") => {
    const lives = livesOf(option, settingsFor(newFolder(), servers), programs);
    try {
      const chat = await lives.start();
      await chat.send(messages(USERS, servers, EACH));
      await lives.signal(signal);
      const { past } = await (await lives.start()).look();
      return countedBefore(servers) - Object.values(past).reduce((sum, { sent }) => sum + sent, 0);
    } finally {
      await lives.kill();
    }
  };
  return { SIGTERM: await lost("SIGTERM"), SIGKILL: await lost("SIGKILL") };
}

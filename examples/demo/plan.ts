/** Who talks to whom, and what happens to the host, run after run. */

export const USERS = ["alice@example", "bruno@example"] as const;
/** The user who is deleted at the end. */
export const FORGOTTEN = USERS[0];
export const BROKERS = 3;

export const serverOf = (port: number): string => `mqtt://127.0.0.1:${port}`;
export const topicOf = (user: string): string => `chat/${user}/inbox`;
/** Tells a broker's tally which run of the host a connection belongs to. */
export const clientIdOf = (user: string, run: number): string => `${user} in run ${run}`;

/** How a run of the host ends. */
export type RunEnding = "SIGKILL" | "exception" | "SIGTERM" | "close";

export interface RunPlan {
  readonly run: number;
  readonly ending: RunEnding;
  readonly sendForMs: number;
}

export interface Plan {
  readonly flushEveryMs: number;
  readonly messagesPerSecond: number;
  readonly runs: readonly RunPlan[];
}

/**
 * What "plus one save" is taken to be at most. A save here takes a few ms; the rest is for a machine that is busy with
 * other things, as this judges the library and not the machine.
 */
export const ONE_SAVE_MS = 500;

const ENDINGS: readonly RunEnding[] = ["SIGKILL", "SIGKILL", "exception", "SIGTERM", "close"];

/** How long a run sends: longer before a kill, so that most of it is older than what a kill may cost. */
const FULL = { flushEveryMs: 1_000, killedMs: 4_000, othersMs: 2_500 };
const SHORT = { flushEveryMs: 250, killedMs: 2_000, othersMs: 700 };

export function makePlan(short: boolean): Plan {
  const { flushEveryMs, killedMs, othersMs } = short ? SHORT : FULL;
  const runs = ENDINGS.map((ending, index) => {
    // At a random moment between two saves, so that no run of the demo is like the last one.
    const sendForMs = (ending === "SIGKILL" ? killedMs : othersMs) + Math.round(Math.random() * flushEveryMs);
    return { run: index + 1, ending, sendForMs };
  });
  return { flushEveryMs, messagesPerSecond: 200, runs };
}

/** What the measurements count, the same in every arrangement: a busy agent's five counters of each of 100 keys. */

import type { Recorder } from "agent-stats";
import { mqtt } from "agent-stats/mqtt";

const USERS = 5;
const SERVERS = 20;
const COUNTERS = ["sendAttempts", "sent", "received", "bytesSent", "bytesReceived"] as const;

/** How many numbers change when everything is counted once. */
export const LOAD_NUMBERS = USERS * SERVERS * COUNTERS.length;

/** @returns a function that counts once in every counter of every key */
export function loadOn(counting: Pick<Recorder, "server">): () => void {
  const counters = Array.from({ length: USERS * SERVERS }, (_, key) => {
    const server = counting.server(mqtt, key % USERS, `mqtts://broker-${Math.floor(key / USERS)}.example:8883`);
    return COUNTERS.map((name) => server.counter(name));
  }).flat();
  return () => {
    for (const counter of counters) counter.add();
  };
}

/**
 * The host's own log of what it did: one line an event, handed to the system before anything else happens, so that it
 * survives a kill. It is the second witness, and exact to the message. It stands in plaintext, outside the folder of
 * the statistics.
 */

import { openSync, readFileSync, writeSync } from "node:fs";
import { HOST_EVENTS, type HostEvent, type Times } from "./evidence.ts";

export type LogEvent = (event: HostEvent, userId: string, server: string) => void;

export function openLog(path: string): LogEvent {
  const log = openSync(path, "a", 0o600);
  return (event, userId, server) => void writeSync(log, `${Date.now()} ${event} ${userId} ${server}\n`);
}

/** When each event happened between that user and that server. */
export function readLog(path: string, userId: string, server: string): Times<HostEvent> {
  const lines = readFileSync(path, "utf8").split("\n");
  const events = lines.map((line) => line.split(" ")).filter((words) => words[2] === userId && words[3] === server);
  const times = (event: HostEvent) => events.filter((words) => words[1] === event).map(([time]) => Number(time));
  return Object.fromEntries(HOST_EVENTS.map((event) => [event, times(event)])) as Record<HostEvent, number[]>;
}

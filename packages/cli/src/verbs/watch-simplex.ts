import type { SimplexWatchEvent, WebSocketClass } from "agent-stats/simplex";
import type { CliContext } from "../context.ts";
import { CliError, warningOf } from "../errors.ts";
import type { WatchFlags } from "../flags.ts";
import { findKey } from "../key.ts";
import { openForSimplex } from "../simplex-store.ts";
import { warnOfKey } from "../source.ts";
import { formatTime } from "../text/times.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** `agent-stats watch simplex URL`: keeps what a running core counts, until it is told to end. */
export async function watchSimplexCore(this: CliContext, flags: WatchFlags, url: string): Promise<void> {
  assertUrl(url);
  const ending = new AbortController();
  const end = () => ending.abort();
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    await watch(this, flags, url, ending.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
  }
}

async function watch(context: CliContext, flags: WatchFlags, url: string, signal: AbortSignal): Promise<void> {
  const { key, openToOthers } = await findKey(flags);
  warnOfKey(context, openToOthers);
  if (!isLoopback(url)) {
    const sentence = "this core is not on this machine: its WebSocket has no password, and ws:// no encryption.";
    context.process.stderr.write(`${warningOf(sentence, "NOT_LOOPBACK")}\n`);
  }
  const [{ watchSimplex }, { store, release }, WebSocket] = await Promise.all([
    import("agent-stats/simplex"),
    openForSimplex(flags, key),
    webSocket(),
  ]);
  let lastKept = "";
  const log = (type: string, text: string, event: object = {}) => {
    const at = new Date();
    context.process.stdout.write(
      flags.json ? `${JSON.stringify({ at, type, ...event })}\n` : `${formatTime(at)}  ${text}\n`,
    );
  };
  try {
    await watchSimplex({
      url,
      store,
      WebSocket,
      signal,
      everyMs: (flags.every ?? DEFAULT_EVERY_S) * 1_000,
      onEvent: (event) => {
        // Once, not at every poll: a log that grows while nothing happens is read by nobody.
        if (event.type === "kept" && lastKept === "kept") return;
        lastKept = event.type;
        log(event.type, textOf(event), jsonOf(event));
      },
    });
    log("ended", "ended; everything heard is kept");
  } finally {
    await release();
  }
}

const DEFAULT_EVERY_S = 30;

function textOf(event: SimplexWatchEvent): string {
  switch (event.type) {
    case "connected":
      return "connected to the core";
    case "kept":
      return "keeping what the core counts";
    case "away":
      return `${event.reason}: trying again in ${Math.ceil(event.retryInMs / 1_000)} s`;
    case "began-anew":
      return event.wentBack
        ? "the core's counters went back: carried forward, a new session begins"
        : "the core's statistics were reset: a new session begins";
    case "user-deleted":
      return "a user was deleted in the core: forgotten here too";
    case "problem":
      return event.problem === null ? "the database works again" : `${event.problem.message} [${event.problem.code}]`;
  }
}

/** An error's own fields are not enumerable. */
function jsonOf(event: SimplexWatchEvent): object {
  if (event.type !== "problem" || event.problem === null) return event;
  const { code, message } = event.problem;
  return { problem: { code, message } };
}

/** Node.js has one from 22 on. */
async function webSocket(): Promise<WebSocketClass> {
  const { WebSocket } = globalThis as { readonly WebSocket?: WebSocketClass };
  return WebSocket ?? ((await import("ws")).WebSocket as unknown as WebSocketClass);
}

function assertUrl(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  if (protocol === "ws:" || protocol === "wss:") return;
  throw new CliError("USAGE", "The core's address is that of a WebSocket: for example ws://localhost:5225.");
}

/** Whether an address stays on this machine, whatever a name server says. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

import type { Protocol } from "../record/protocol.ts";
import { StatsError, type StatsErrorCode } from "../store/errors.ts";
import type { ServersStats } from "../summarise/servers-stats.ts";
import type { SessionWithCounts } from "../summarise/sessions.ts";
import type { TimelineEntry } from "../summarise/timeline.ts";
import type { MadeReport, ViewerSource } from "./source.ts";

/** What a server tells of itself, once, at `about`. */
export interface ServedAbout {
  /** Sent back with everything that changes something. */
  readonly csrf: string;
  /** Whether users may be forgotten and everything reset. */
  readonly canWrite: boolean;
  readonly protocols: readonly Pick<Protocol, "name" | "counters" | "gauges">[];
  /** Users who are shown only on request. */
  readonly hiddenUsers: readonly string[];
}

export interface FetchSource extends ViewerSource {
  readonly about: ServedAbout;
  readonly protocols: readonly Protocol[];
}

/** The header that a page of another origin cannot send. */
const CSRF_HEADER = "x-agent-stats-csrf";

/**
 * Asks a server for everything, as `agent-stats view` answers it: GET `about`, `stats`, `sessions`, `timeline`, `events`;
 * POST `report`, `report/keep`, `forget`, `reset`.
 *
 * @param base where these are, with a `/` at the end, e.g. `/api/`
 * @throws StatsError what the server tells; `STATS_STORE_FAILED` when it does not answer
 */
export async function fetchSource(base: string): Promise<FetchSource> {
  const about = (await ask(`${base}about`)) as ServedAbout;
  const post = (path: string, body: object) =>
    ask(base + path, {
      method: "POST",
      headers: { "content-type": "application/json", [CSRF_HEADER]: about.csrf },
      body: JSON.stringify(body),
    });
  return {
    about,
    protocols: about.protocols.map((protocol) => ({
      ...protocol,
      counterIndex: new Map(protocol.counters.map(({ name }, index) => [name, index])),
      gaugeIndex: new Map(protocol.gauges.map(({ name }, index) => [name, index])),
    })),
    getServersStats: async () => (await ask(`${base}stats`)) as ServersStats,
    getSessions: async () => (await ask(`${base}sessions`)) as SessionWithCounts[],
    getTimeline: async () => (await ask(`${base}timeline`)) as TimelineEntry[],
    onChange: (listener) => listen(`${base}events`, listener),
    makeReport: async (wishes) => (await post("report", wishes)) as MadeReport,
    keepReport: async (id) => void (await post("report/keep", { id })),
    ...(about.canWrite && {
      deleteUser: (userId: string) => post("forget", { userId, confirm: userId }),
      reset: async () => void (await post("reset", { confirm: "reset" })),
    }),
  };
}

const UNAUTHORIZED = 401;

async function ask(url: string, init?: RequestInit): Promise<unknown> {
  const answer = await fetch(url, { credentials: "same-origin", cache: "no-store", ...init }).catch((cause) => {
    throw new StatsError("STATS_STORE_FAILED", "The viewer's server does not answer: start it again.", { cause });
  });
  if (answer.status === UNAUTHORIZED) {
    throw new StatsError("STATS_STORE_FAILED", "This page is signed out: start agent-stats view again, open its link.");
  }
  const value: unknown = JSON.parse(await answer.text(), revive);
  if (answer.ok) return value;
  const { code, message } = value as { code: StatsErrorCode; message: string };
  throw new StatsError(code, message);
}

/** The fields that are dates, by name: no server and no user is ever a value of these. */
const DATES = new Set(["trackedSince", "lastSaved", "started", "ended", "start", "at"]);

function revive(name: string, value: unknown): unknown {
  return DATES.has(name) && typeof value === "string" ? new Date(value) : value;
}

function listen(url: string, listener: (what: "changed" | "lost" | "found") => void): () => void {
  const events = new EventSource(url);
  let lost = false;
  events.addEventListener("changed", () => listener("changed"));
  events.addEventListener("error", () => {
    lost = true;
    listener("lost");
  });
  events.addEventListener("open", () => {
    if (lost) listener("found");
    lost = false;
  });
  return () => events.close();
}

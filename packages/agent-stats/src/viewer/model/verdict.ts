import type { Protocol } from "../../record/protocol.ts";
import { diagnose, type Finding, tell } from "../../summarise/diagnose.ts";
import type { Names } from "./names.ts";
import { type Data, type Filter, matches } from "./select.ts";

/** One thing that is wrong, in a sentence. */
export interface Told {
  readonly sentence: string;
  /** The sentence, where it is clear which server is meant. */
  readonly what: string;
  readonly evidence: string;
  /** The servers that it is about, if it is about some. */
  readonly servers: readonly string[];
  readonly protocol: string | null;
  /** The sessions that it is about, if it is about some. */
  readonly sessions: readonly number[];
  /** True where it goes on. */
  readonly now: boolean;
}

/** What is wrong, the weightiest first; null while history is still being read. */
export function verdictOf(
  { stats, sessions, timeline }: Data,
  filter: Filter,
  hidden: ReadonlySet<string>,
  protocols: readonly Protocol[],
  names: Names,
  now: number,
): Told[] | null {
  if (sessions === null || timeline === null) return null;
  const asked = matches(filter, hidden);
  const servers = { ...stats, servers: stats.servers.filter(asked) };
  const given = { servers, sessions, timeline: timeline.filter(asked), now: new Date(now), protocols };
  return diagnose(given).map((finding) => told(finding, names, now));
}

/** What is told of one server. */
export function toldOf(
  verdict: readonly Told[] | null,
  { protocol, server }: { readonly protocol: string; readonly server: string },
): Told[] {
  return (verdict ?? []).filter((told) => told.protocol === protocol && told.servers.includes(server));
}

/** In the words of `doctor`. */
function told(finding: Finding, names: Names, now: number): Told {
  const speaker = { now: new Date(now), nameOf: names.server, userOf: (userId: string) => userText(names, userId) };
  const { sentence, numbers, servers } = tell(finding, speaker);
  return {
    sentence: `${sentence}.`,
    what: `${withoutName(sentence, servers.map(names.server))}.`,
    evidence: numbers.join("; "),
    servers,
    protocol: "protocol" in finding ? finding.protocol : null,
    sessions: "sessions" in finding ? finding.sessions : [],
    now: !("until" in finding) || finding.until === null,
  };
}

function withoutName(sentence: string, [name, another]: readonly string[]): string {
  const begin = `${name}: `;
  return another === undefined && sentence.startsWith(begin) ? sentence.slice(begin.length) : sentence;
}

function userText(names: Names, userId: string): string {
  return names.hidden || userId === "" ? names.user(userId) : `user ${names.user(userId)}`;
}

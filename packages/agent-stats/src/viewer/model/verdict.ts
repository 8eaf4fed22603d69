import type { Protocol } from "../../record/protocol.ts";
import { diagnose, type Finding, tell } from "../../summarise/diagnose.ts";
import type { Names } from "./names.ts";
import { type Data, type Filter, matches } from "./select.ts";

/** One thing that is wrong, in a sentence, with the server that it is about, if it is one. */
export interface Told {
  readonly sentence: string;
  readonly evidence: string;
  readonly at: { readonly protocol: string; readonly server: string } | null;
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

/** In the words of `doctor`; what a sentence is about can be looked at, where it is one server. */
function told(finding: Finding, names: Names, now: number): Told {
  const speaker = { now: new Date(now), nameOf: names.server, userOf: (userId: string) => userText(names, userId) };
  const { sentence, numbers, servers } = tell(finding, speaker);
  const [server] = servers;
  const at =
    "protocol" in finding && servers.length === 1 && server !== undefined
      ? { protocol: finding.protocol, server }
      : null;
  return {
    sentence: `${sentence}.`,
    evidence: numbers.join("; "),
    at,
    now: !("until" in finding) || finding.until === null,
  };
}

function userText(names: Names, userId: string): string {
  return names.hidden || userId === "" ? names.user(userId) : `user ${names.user(userId)}`;
}

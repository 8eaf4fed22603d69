import type { Protocol } from "../../record/protocol.ts";
import { diagnose, type Finding } from "../../summarise/diagnose.ts";
import type { Names } from "./names.ts";
import { type Data, type Filter, matches } from "./select.ts";
import { countText, dayWords, durationText, hourText, plural, shareText, timeText } from "./words.ts";

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

const NOUNS: Readonly<Record<string, string>> = {
  send: "sends",
  receive: "received messages",
  subscribe: "subscriptions",
  connect: "connections",
  acknowledge: "acknowledgements",
  upload: "uploads",
  download: "downloads",
  delete: "deletions",
  create: "creations",
  check: "checks",
};

const nounOf = (activity: string) => NOUNS[activity] ?? `tries to ${activity}`;

function told(finding: Finding, names: Names, now: number): Told {
  const plain = (sentence: string, evidence: string, goesOn = true): Told => ({
    sentence,
    evidence,
    at: null,
    now: goesOn,
  });
  switch (finding.kind) {
    case "failing": {
      const { protocol, server, failed, outcomes, reasons, others, until } = finding;
      const reason = reasons[0] && reasons[0].reason !== "OTHER" ? `, mostly ${reasons[0].reason}` : "";
      return {
        sentence: `${names.server(server)}: ${shareText(failed / outcomes)} of ${nounOf(finding.activity)} failed${reason}, ${spanText(finding, now)}${othersText(others)}.`,
        evidence: `${countText(failed)} of ${countText(outcomes)} failed (${reasons.map(({ counter, count }) => `${counter} ${countText(count)}`).join(", ")})`,
        at: { protocol, server },
        now: until === null,
      };
    }
    case "failing-everywhere":
      return plain(
        `Nearly everywhere ${nounOf(finding.activity)} failed, ${spanText(finding, now)}: most likely the network of this device.`,
        `${countText(finding.failed)} of ${countText(finding.outcomes)} failed at ${finding.servers.length} of ${plural(finding.ofServers, "server")}`,
        finding.until === null,
      );
    case "fruitless":
      return {
        sentence: `${listText(finding.servers, names)}: nobody answers ${nounOf(finding.activity)}, since ${sinceText(finding.since, now)}.`,
        evidence: `${plural(finding.attempts, "attempt")}, ${finding.everSucceeded ? "answered before that" : "never answered"}`,
        at: atOf(finding.protocol, finding.servers),
        now: true,
      };
    case "losing":
      return {
        sentence: `${listText(finding.servers, names)}: open ${nounOf(finding.activity)} break again and again, ${spanText(finding, now)}.`,
        evidence: `${plural(finding.losses, "loss", "losses")} in ${plural(finding.hours, "hour")}`,
        at: atOf(finding.protocol, finding.servers),
        now: finding.until === null,
      };
    case "duplicates":
      return {
        sentence: `${names.server(finding.server)}: much is delivered twice, ${spanText(finding, now)}; acknowledgements do not reach it.`,
        evidence: `${countText(finding.duplicates)} of ${countText(finding.received)} received were duplicates`,
        at: { protocol: finding.protocol, server: finding.server },
        now: finding.until === null,
      };
    case "crashes":
      return plain(
        `The app ended badly ${finding.killed + finding.exceptions + finding.rejections} times in ${plural(finding.ofSessions, "session")}, last ${sinceText(finding.last, now)}.`,
        `${finding.killed} without a goodbye, ${finding.exceptions + finding.rejections} by an error; at most ${durationText(finding.canHaveLostMs)} of counting is missing`,
      );
    case "clock":
      return plain(
        "The clock of this device was moved: times on this page can be wrong.",
        `set back ${plural(finding.setBack, "time")}, ${plural(finding.inFuture, "session")} in the future`,
      );
    case "stale":
      return plain(
        `The app runs and has saved nothing since ${timeText(finding.lastSaved)}: it is idle, or hangs.`,
        `${plural(finding.running, "running session")}`,
      );
    case "erasure-pending":
      return plain("Something was deleted, and old pages of the file may still hold it: it is tried again.", "");
    case "rejected":
      return plain(
        `${plural(finding.calls, "call")} of the app counted nothing: a counter is not defined, or a value is no count.`,
        Object.entries(finding.reasons)
          .map(([reason, count]) => `${reason} ${countText(count)}`)
          .join(", "),
      );
  }
}

function atOf(protocol: string, servers: readonly string[]): Told["at"] {
  return servers.length === 1 && servers[0] !== undefined ? { protocol, server: servers[0] } : null;
}

function listText(servers: readonly string[], names: Names): string {
  const [first = "", ...others] = servers;
  return others.length === 0 ? names.server(first) : `${names.server(first)} and ${plural(others.length, "other")}`;
}

function othersText({ servers, failing }: { readonly servers: number; readonly failing: number }): string {
  if (servers === 0) return "";
  return failing === 0 ? "; other servers are fine" : `; ${failing} of ${plural(servers, "other server")} fail too`;
}

interface Span {
  readonly since: Date;
  readonly until: Date | null;
  readonly sinceMayBeEarlier?: boolean;
}

function spanText({ since, until, sinceMayBeEarlier = false }: Span, now: number): string {
  const begin = `${sinceMayBeEarlier ? "at least " : ""}since ${sinceText(since, now)}`;
  return until === null ? begin : `from ${sinceText(since, now)} to ${sinceText(until, now)}`;
}

const DAY_MS = 86_400_000;

/** With the hour where it is recent. */
function sinceText(date: Date, now: number): string {
  const day = dayWords(date, now);
  return Math.abs(now - date.getTime()) < 2 * DAY_MS ? `${day}, ${hourText(date)}` : day;
}

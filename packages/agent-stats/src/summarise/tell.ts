import type { CrashesFinding, FailingEverywhereFinding, FailingFinding, FailureReason, Finding } from "./findings.ts";
import { assertRead, isDate, isRecord } from "./given.ts";
import { countText, dayText, durationText, onDayText, plural, printable, together } from "./words.ts";

/** What a sentence needs to know beside the finding. */
export interface Speaker {
  readonly now: Date;
  /** What a server is called: by its host, or by a number where names are hidden. It must be fit to be shown. */
  nameOf(server: string): string;
  /** The same of a user. Default: `user 1`; of sums of deleted users, `deleted users`. */
  userOf?(userId: string): string;
}

/** A finding in words. Spaces that hold words together are U+00A0. */
export interface Told {
  /** One sentence, without a full stop. */
  readonly sentence: string;
  /** The numbers behind it, a line for each thought. */
  readonly numbers: readonly string[];
  /** The servers that it is about, where they are few enough to be named one by one: as they are, not fit to be shown. */
  readonly servers: readonly string[];
}

type Of<K extends Finding["kind"]> = Extract<Finding, { readonly kind: K }>;

/**
 * Says a finding in words: the one place that does, so that nobody reads two answers.
 *
 * @throws TypeError when it is no finding, or nobody who speaks
 */
export function tell(finding: Finding, speaker: Speaker): Told {
  assertRead(isRecord(finding) && typeof finding.weight === "number", "finding must be one that diagnose tells");
  const speaks = isRecord(speaker) && isDate(speaker.now) && typeof speaker.nameOf === "function";
  assertRead(speaks, "speaker must have now, a date, and nameOf");
  switch (finding.kind) {
    case "failing":
      return failing(finding, speaker);
    case "failing-everywhere":
      return failingEverywhere(finding, speaker);
    case "fruitless":
      return fruitless(finding, speaker);
    case "losing":
      return losing(finding, speaker);
    case "duplicates":
      return duplicates(finding, speaker);
    case "crashes":
      return crashes(finding, speaker);
    case "clock":
      return clock(finding, speaker);
    case "stale":
      return stale(finding, speaker);
    case "erasure-pending":
      return {
        sentence: "What was deleted is not erased from the file yet: somebody was reading it",
        numbers: ["end what else reads the file; the app's next start, or next deletion, erases it"],
        servers: [],
      };
    case "rejected":
      return {
        sentence: `The app made ${plural(finding.calls, "call")} that counted nothing`,
        numbers: Object.entries(finding.reasons).map(([reason, count]) => `${printable(reason)}: ${countText(count)}`),
        servers: [],
      };
  }
}

function fruitless(finding: Of<"fruitless">, { now, nameOf }: Speaker): Told {
  const { servers, ofServers, attempts, everSucceeded } = finding;
  const at = servers.length === 1 ? nameOf(servers[0] as string) : `${servers.length} of ${ofServers} servers`;
  const since = together(`since ${dayText(finding.since, now)}`);
  return {
    sentence: `${at}: none of ${countText(attempts)} tries of ${nounOf(finding)} got an answer ${since}`,
    numbers: [everSucceeded ? "it succeeded before that" : "it never succeeded, as far as history goes"],
    servers,
  };
}

function losing(finding: Of<"losing">, speaker: Speaker): Told {
  const { servers, losses, hours } = finding;
  const at = servers.length === 1 ? speaker.nameOf(servers[0] as string) : `${servers.length} servers`;
  return {
    sentence: `${at}: what was open was lost ${times(losses)} ${span(finding, speaker)}`,
    numbers: [`${protocolOf(finding)}: ${countText(losses)} losses in ${plural(hours, "hour")} with counts`],
    servers,
  };
}

function duplicates(finding: Of<"duplicates">, speaker: Speaker): Told {
  const { server, duplicates, received } = finding;
  const share = `${percent(duplicates, received)} of what was received had been received before`;
  return {
    sentence: `${speaker.nameOf(server)}: ${share}, ${span(finding, speaker)}`,
    numbers: [`${protocolOf(finding)}: ${ratio(duplicates, received)}: acknowledgements may not arrive`],
    servers: [server],
  };
}

function clock({ setBack, inFuture, last }: Of<"clock">, { now }: Speaker): Told {
  const future = `${plural(inFuture, "session")} saved later than it is now: the clock is behind, or was ahead`;
  const parts = [
    ...(setBack > 0 ? [`the clock was set back ${times(setBack)}`] : []),
    ...(inFuture > 0 ? [future] : []),
  ];
  return {
    sentence: capital(`${parts.join("; ")}; last ${together(onDayText(last, now))}`),
    numbers: ["no count is lost by it: dates are"],
    servers: [],
  };
}

function stale({ lastSaved, running }: Of<"stale">, { now }: Speaker): Told {
  const silence = together(durationText(now.getTime() - lastSaved.getTime()));
  return {
    sentence: `Nothing was saved for ${silence}, although the app runs: it has nothing to count, or it hangs`,
    numbers: [`last saved ${dayText(lastSaved, now)}; ${plural(running, "session")} open`],
    servers: [],
  };
}

function failing(finding: FailingFinding, speaker: Speaker): Told {
  const { server, failed, outcomes, reasons, users, others } = finding;
  const { userOf = userName } = speaker;
  const withFailures = users.filter((user) => user.failed > 0);
  const [first] = withFailures;
  const only = first && withFailures.length === 1 && users.length > 1 ? `, only for ${userOf(first.userId)}` : "";
  const name = speaker.nameOf(server);
  return {
    sentence: `${name}: ${percent(failed, outcomes)} of ${nounOf(finding)} failed${mostly(reasons, failed)}, ${span(finding, speaker)}${only}${othersAre(others)}`,
    numbers: [
      countsLine(finding),
      ...(users.length > 1
        ? [
            users
              .map(({ userId, failed, outcomes }) => together(`${userOf(userId)}: ${ratio(failed, outcomes)}`))
              .join(", "),
          ]
        : []),
    ],
    servers: [server],
  };
}

function failingEverywhere(finding: FailingEverywhereFinding, speaker: Speaker): Told {
  const { servers, ofServers, failed, outcomes, reasons } = finding;
  const at = servers.length === ofServers ? `All ${ofServers} servers` : `${servers.length} of ${ofServers} servers`;
  return {
    sentence: `${at}: ${percent(failed, outcomes)} of ${nounOf(finding)} failed${mostly(reasons, failed)}, ${span(finding, speaker)}: most often this device's own network`,
    numbers: [
      countsLine(finding),
      servers
        .map((server) => speaker.nameOf(server))
        .slice(0, NAMED)
        .join(", "),
    ],
    servers: [],
  };
}

/** More names than this are read by nobody. */
const NAMED = 5;

function crashes({ killed, exceptions, rejections, ofSessions, ...finding }: CrashesFinding, { now }: Speaker): Told {
  const all = killed + exceptions + rejections;
  const missing =
    finding.canHaveLostMs > 0
      ? `: ${lossText(finding.canHaveLostMs, killed)}`
      : ": nothing of what it counted is missing";
  const how = [
    ...(killed > 0
      ? [`${countText(killed)} without a goodbye (killed, out of memory, a crash of native code, power cut)`]
      : []),
    ...(exceptions > 0 ? [`${exceptions} by an uncaught exception`] : []),
    ...(rejections > 0 ? [`${rejections} by an unhandled rejection`] : []),
  ];
  const last = together(onDayText(finding.last, now));
  const when = all === 1 ? last : `${together(`since ${dayText(finding.first, now)}`)}, last ${last}`;
  return {
    sentence: `The app ${exceptions + rejections === 0 ? "was killed" : "crashed"} ${times(all)}${all === 1 ? ", " : " "}${when}${missing}`,
    numbers: [
      `${ratio(all, ofSessions)} sessions: ${how.join(", ")}`,
      `session${finding.sessions.length === 1 ? "" : "s"} ${finding.sessions.slice(-NAMED_SESSIONS).join(", ")}${finding.sessions.length > NAMED_SESSIONS ? " and before" : ""}`,
    ],
    servers: [],
  };
}

const NAMED_SESSIONS = 10;

/** What sessions that were killed can have lost together. */
export function lossText(ms: number, killed: number): string {
  return `up to ${together(durationText(ms))} of counting and one save${killed > 1 ? " each" : ""} can be missing`;
}

function countsLine(finding: FailingFinding | FailingEverywhereFinding): string {
  const told = new Set(finding.reasons.map(({ counter }) => counter));
  const reasons = finding.reasons.map(({ reason, counter, includes, count }) => {
    const rest = includes.some((name) => told.has(name)) ? "the rest of " : "";
    return together(`${printable(reason)} ${countText(count)} (${rest}${printable(counter)})`);
  });
  return `${protocolOf(finding)}: ${ratio(finding.failed, finding.outcomes)} failed: ${reasons.join(", ")}`;
}

/** The share from which one reason stands for all, but for a few. */
const MOST = 0.6;

function mostly(reasons: readonly FailureReason[], failed: number): string {
  const [first, second] = reasons.filter(({ reason }) => reason !== "OTHER");
  if (!first) return "";
  if (reasons.length === 1) return `, all ${printable(first.reason)}`;
  if (first.count >= failed * MOST) return `, mostly ${printable(first.reason)}`;
  if (second && first.count + second.count >= failed * MOST) {
    return `, mostly ${printable(first.reason)} and ${printable(second.reason)}`;
  }
  return "";
}

interface Span {
  readonly since: Date;
  readonly until: Date | null;
  readonly sinceMayBeEarlier?: boolean;
}

function span({ since, until, sinceMayBeEarlier = false }: Span, { now }: Speaker): string {
  const from = `${dayText(since, now)}${sinceMayBeEarlier ? " or earlier" : ""}`;
  if (until === null) return together(`since ${from}`);
  const to = dayText(until, now);
  return `${to === from ? together(onDayText(since, now)) : together(`from ${from} to ${to}`)}, and is fine since`;
}

function othersAre({ servers, failing }: FailingFinding["others"]): string {
  if (servers === 0) return "";
  if (failing > 0) return `; ${failing} of ${servers} ${servers === 1 ? "other server" : "other servers"} too`;
  return servers === 1 ? "; the other server fine" : "; other servers fine";
}

const NOUNS: Readonly<Record<string, string>> = {
  send: "sends",
  receive: "received messages",
  acknowledge: "acknowledgements",
  subscribe: "subscriptions",
  unsubscribe: "unsubscriptions",
  connect: "connections",
  upload: "uploads",
  download: "downloads",
  delete: "deletions",
  create: "creations",
  check: "checks",
};

/** What a share of an activity is of: `sends`. */
export function nounOf({ activity }: { readonly activity: string }): string {
  return Object.hasOwn(NOUNS, activity) ? (NOUNS[activity] as string) : `“${printable(activity)}”`;
}

/** Rounded, but never to a whole that it is not. */
export function percent(part: number, all: number): string {
  const share = (100 * part) / all;
  const rounded = share < 1 ? Number(share.toFixed(1)) : Math.round(share);
  const text = rounded === 0 ? "< 0.1" : rounded === 100 && part < all ? "> 99" : String(rounded);
  return together(`${text} %`);
}

function ratio(part: number, all: number): string {
  return together(`${countText(part)} of ${countText(all)}`);
}

function protocolOf({ protocol }: { readonly protocol: string }): string {
  return printable(protocol);
}

function userName(userId: string): string {
  return userId === "" ? "deleted users" : `user ${printable(userId)}`;
}

function times(count: number): string {
  return count === 1 ? "once" : count === 2 ? "twice" : `${countText(count)} times`;
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

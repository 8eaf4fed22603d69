import type { Protocol } from "../record/protocol.ts";
import { type FailureCounter, includedOnce, type NamedFailure } from "./failures.ts";
import type { Numbers } from "./numbers.ts";

/** Something that an agent does again and again, and the counters that tell how it went. */
export interface Activity {
  /** `send`, `receive`, `subscribe`, `connect` …; of a protocol that nobody knows, the word that its counters begin with. */
  readonly name: string;
  readonly successes: readonly string[];
  readonly failures: readonly FailureCounter[];
  readonly attempts: readonly string[];
  /** What was done before already, and once more: part of the successes. */
  readonly duplicates: readonly string[];
  /** Things that had been well and broke, such as open connections: told by how often, not out of how many. */
  readonly losses: readonly string[];
  /** True where failures are counted among the successes too, as SimpleX's `recvMsgs` does. */
  readonly successesIncludeFailures: boolean;
}

const activity = (name: string, given: Partial<Activity>): Activity => ({
  name,
  successes: [],
  failures: [],
  attempts: [],
  duplicates: [],
  losses: [],
  successesIncludeFailures: false,
  ...given,
});

const failures = (reasons: Readonly<Record<string, string>>): readonly FailureCounter[] =>
  Object.entries(reasons).map(([counter, reason]) => ({ counter, reason, includes: [] }));

/**
 * SimpleX's names follow no rule that a program could guess. `sentProxied` is the proxy's view of messages that are
 * counted at their own server, so it is nowhere here.
 */
const SIMPLEX: Readonly<Record<string, readonly Activity[]>> = {
  smp: [
    activity("send", {
      successes: ["sentDirect", "sentViaProxy"],
      attempts: ["sentDirectAttempts", "sentViaProxyAttempts"],
      failures: failures({
        sentAuthErrs: "AUTH",
        sentQuotaErrs: "QUOTA",
        sentExpiredErrs: "EXPIRED",
        sentOtherErrs: "OTHER",
      }),
    }),
    activity("receive", {
      successes: ["recvMsgs"],
      failures: failures({ recvCryptoErrs: "CRYPTO", recvErrs: "OTHER" }),
      duplicates: ["recvDuplicates"],
      successesIncludeFailures: true,
    }),
    activity("acknowledge", {
      successes: ["ackMsgs"],
      attempts: ["ackAttempts"],
      failures: failures({ ackNoMsgErrs: "NO_MSG", ackOtherErrs: "OTHER" }),
    }),
    activity("subscribe", {
      successes: ["connSubscribed"],
      attempts: ["connSubAttempts"],
      failures: failures({ connSubErrs: "OTHER" }),
    }),
    activity("delete", {
      successes: ["connDeleted"],
      attempts: ["connDelAttempts"],
      failures: failures({ connDelErrs: "OTHER" }),
    }),
  ],
  xftp: [
    activity("upload", {
      successes: ["uploads"],
      attempts: ["uploadAttempts"],
      failures: failures({ uploadErrs: "OTHER" }),
    }),
    activity("download", {
      successes: ["downloads"],
      attempts: ["downloadAttempts"],
      failures: failures({ downloadAuthErrs: "AUTH", downloadErrs: "OTHER" }),
    }),
    activity("delete", {
      successes: ["deletions"],
      attempts: ["deleteAttempts"],
      failures: failures({ deleteErrs: "OTHER" }),
    }),
  ],
  ntf: [
    activity("create", { successes: ["ntfCreated"], attempts: ["ntfCreateAttempts"] }),
    activity("check", { successes: ["ntfChecked"], attempts: ["ntfCheckAttempts"] }),
    activity("delete", { successes: ["ntfDeleted"], attempts: ["ntfDelAttempts"] }),
  ],
};

/** Protocols of this package whose definition says that errors of one kind stand in one counter. */
const ONE_COUNTER_FOR_EACH: ReadonlySet<string> = new Set(["mqtt"]);

/**
 * What an agent does in a protocol, read off its counters: SimpleX's from a table, any other's from their names
 * (`sent`, `sendAttempts`, `sendQuotaErrors`) and, where it is given, from the protocol's definition.
 *
 * @param counted what was counted together, of each key and hour: tells which counter of failures counts others' too
 */
export function activitiesOf(
  protocol: string,
  counters: Iterable<string>,
  definition?: Protocol,
  counted: Iterable<Numbers> = [],
): readonly Activity[] {
  if (Object.hasOwn(SIMPLEX, protocol)) return SIMPLEX[protocol] ?? [];
  const activities = namedActivities(counters, definition);
  if (ONE_COUNTER_FOR_EACH.has(protocol)) return activities;
  const all = [...counted];
  return activities.map((of) => ({ ...of, failures: includedOnce(of.failures.map(named), all) }));
}

function named({ counter, reason }: FailureCounter): NamedFailure {
  const words = wordsOf(counter).slice(1, -1);
  const telling = words.filter((word) => !TOTAL.test(word));
  return { counter, reason, words: telling, isTotal: telling.length < words.length };
}

function namedActivities(counters: Iterable<string>, definition: Protocol | undefined): Activity[] {
  const found = new Map<string, Activity>();
  const add = (stem: string, part: (of: Activity) => Partial<Activity>) => {
    const of = found.get(stem) ?? activity(NAMES[stem] ?? stem, {});
    found.set(stem, { ...of, ...part(of) });
  };
  const defined = new Map(definition?.counters.map((counter) => [counter.name, counter]));
  for (const counter of new Set([...counters, ...defined.keys()])) {
    const { error = false, attemptsOf = null } = defined.get(counter) ?? {};
    const words = wordsOf(counter);
    const stem = stemOf(wordsOf(attemptsOf ?? counter)[0] ?? "");
    switch (attemptsOf === null ? roleOf(words, error) : "attempt") {
      case "success":
        add(stem, ({ successes }) => ({ successes: [...successes, counter] }));
        break;
      case "failure":
        add(stem, ({ failures }) => ({ failures: [...failures, { counter, reason: reasonOf(words), includes: [] }] }));
        break;
      case "attempt":
        add(stem, ({ attempts }) => ({ attempts: [...attempts, counter] }));
        break;
      case "loss":
        add(stem, ({ losses }) => ({ losses: [...losses, counter] }));
        break;
      case "duplicate":
        add("receiv", ({ duplicates }) => ({ duplicates: [...duplicates, counter] }));
        break;
    }
  }
  return [...found.values()];
}

const FAILURE = /^(err|errs|error|errors|failed|failure|failures|refused|rejected|denied)$/;
const TOTAL = /^(all|any|total)$/;
const LOSS = /^(loss|losses|lost|drops|dropped)$/;
const DUPLICATE = /^(duplicate|duplicates|dups)$/;
const ATTEMPT = /^(attempt|attempts|tries|tried)$/;

type Role = "success" | "failure" | "attempt" | "loss" | "duplicate";

function roleOf(words: readonly string[], isError: boolean): Role | null {
  const last = words.at(-1) ?? "";
  if (DUPLICATE.test(last)) return "duplicate";
  // `errors` alone does not tell what went wrong.
  if (words.length === 1)
    return isError || FAILURE.test(last) || LOSS.test(last) || ATTEMPT.test(last) ? null : "success";
  if (LOSS.test(last)) return "loss";
  if (isError || FAILURE.test(last)) return "failure";
  // Of several words, such as `sentUnconfirmed`, nobody can tell what they count.
  return ATTEMPT.test(last) && words.length === 2 ? "attempt" : null;
}

/** `sendQuotaErrors` → `send`, `quota`, `errors`. */
function wordsOf(counter: string): string[] {
  return counter
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .split(/[^A-Za-z\d]+/)
    .filter((word) => word !== "")
    .map((word) => word.toLowerCase());
}

function reasonOf(words: readonly string[]): string {
  const telling = words.slice(1, -1).filter((word) => !TOTAL.test(word));
  const between = telling.join("_").toUpperCase();
  const last = words.at(-1) ?? "";
  return between || (/^(refused|rejected|denied)$/.test(last) ? last.toUpperCase() : "OTHER");
}

/** Words of one verb that have no rule in common. */
const IRREGULAR: Readonly<Record<string, string>> = {
  sent: "send",
  recv: "receiv",
  sub: "subscrib",
  subs: "subscrib",
  subscription: "subscrib",
  subscriptions: "subscrib",
  conn: "connect",
  conns: "connect",
  acks: "ack",
  acknowledge: "ack",
  acknowledged: "ack",
};

/** What the forms of one verb have in common: `uploads`, `uploaded`, `upload` → `upload`. */
function stemOf(word: string): string {
  if (Object.hasOwn(IRREGULAR, word)) return IRREGULAR[word] as string;
  return word.replace(/(ions?|ed|es|s|e)$/, "") || word;
}

/** Stems that are no word. */
const NAMES: Readonly<Record<string, string>> = {
  receiv: "receive",
  subscrib: "subscribe",
  unsubscrib: "unsubscribe",
  delet: "delete",
  creat: "create",
  ack: "acknowledge",
};

import { assertGiven } from "../record/given.ts";
import { defineProtocol, type Protocol, type ProtocolDefinition } from "../record/protocol.ts";

/** The protocols of SimpleX, by the scheme of their servers' addresses. */
export type SimplexProtocol = "smp" | "xftp" | "ntf";

/** simplexmq adds up `toKB size`, which divides by 1 024 (`Simplex.FileTransfer.Chunks`); here sizes are bytes. */
const BYTES_PER_KB = 1_024;

const error = (help: string) => ({ help, error: true }) as const;
const attempts = (attemptsOf: string, help: string) => ({ help, attemptsOf }) as const;
const gauge = (help: string) => ({ help, gauge: true }) as const;

const SESSIONS = {
  connected: gauge("connections to this server that are open now"),
  connecting: gauge("connections to this server that are being made now"),
  sessionErrors: gauge("connections to this server that could not be made and are not tried right now"),
} as const;

const SMP = {
  ...SESSIONS,
  activeSubs: gauge("message queues on this server that are subscribed now"),
  pendingSubs: gauge("message queues on this server that wait for their subscription"),

  sentDirect: "messages sent to this server without a proxy",
  sentDirectAttempts: attempts("sentDirect", "sends tried without a proxy, at least one for each message"),
  sentViaProxy: "messages sent to this server through another server as proxy",
  sentViaProxyAttempts: attempts("sentViaProxy", "sends tried to this server through a proxy"),
  sentProxied: "messages that this server passed on as proxy: the same ones as sentViaProxy elsewhere, never add both",
  sentProxiedAttempts: attempts("sentProxied", "sends tried through this server as proxy"),
  sentAuthErrs: error("messages refused for good: the queue is gone, or this user may not send there (AUTH)"),
  sentQuotaErrs: error("messages given up because the receiver's queue stayed full (QUOTA)"),
  sentExpiredErrs: error("messages given up because they could not be sent in time"),
  sentOtherErrs: error("messages refused for good for another reason"),

  recvMsgs: "messages received, duplicates and failures included",
  recvDuplicates: "messages received that had been received before",
  recvCryptoErrs: error("messages received that could not be decrypted"),
  recvErrs: error("messages received that failed for another reason"),

  ackMsgs: "received messages that were acknowledged to this server",
  ackAttempts: attempts("ackMsgs", "acknowledgements tried"),
  ackNoMsgErrs: error("acknowledgements of messages that the server no longer had (NO_MSG)"),
  ackOtherErrs: error("acknowledgements refused for good for another reason"),

  connCreated: "connections whose receiving queue was created on this server",
  connSecured: "connections secured: the other side's key is set on the queue",
  connCompleted: "connections completed: both sides can send",
  connDeleted: "connections deleted from this server",
  connDelAttempts: attempts("connDeleted", "deletions of connections tried"),
  connDelErrs: error("deletions of connections refused for good"),
  connSubscribed: "subscriptions to connections that the server confirmed",
  connSubAttempts: attempts("connSubscribed", "subscriptions to connections tried"),
  connSubIgnored: "answers to subscriptions that came too late to matter: the session had changed meanwhile",
  connSubErrs: error("subscriptions to connections refused for good"),

  ntfKey: "queues for which notifications were turned on",
  ntfKeyAttempts: attempts("ntfKey", "queues for which turning notifications on was tried"),
  ntfKeyDeleted: "queues for which notifications were turned off",
  ntfKeyDeleteAttempts: attempts("ntfKeyDeleted", "queues for which turning notifications off was tried"),
} as const;

const XFTP = {
  ...SESSIONS,
  receiving: gauge("1 while a file is being received from this server"),
  sending: gauge("1 while a file is being sent to this server"),
  deleting: gauge("1 while a file is being deleted from this server"),

  uploads: "pieces of files uploaded to this server",
  uploadsSize: { help: "bytes of the pieces uploaded; SimpleX counts whole KB", unit: "bytes" },
  uploadAttempts: attempts("uploads", "uploads of pieces tried"),
  uploadErrs: error("uploads of pieces that failed"),
  downloads: "pieces of files downloaded from this server",
  downloadsSize: { help: "bytes of the pieces downloaded; SimpleX counts whole KB", unit: "bytes" },
  downloadAttempts: attempts("downloads", "downloads of pieces tried"),
  downloadAuthErrs: error("downloads refused: the file is gone, or this user may not have it (AUTH)"),
  downloadErrs: error("downloads that failed for another reason"),
  deletions: "pieces of files deleted from this server",
  deleteAttempts: attempts("deletions", "deletions of pieces tried"),
  deleteErrs: error("deletions of pieces that failed"),
} as const;

const NTF = {
  ...SESSIONS,
  ntfCreated: "subscriptions to notifications created on this server",
  ntfCreateAttempts: attempts("ntfCreated", "creations of subscriptions tried"),
  ntfChecked: "checks of subscriptions that the server answered",
  ntfCheckAttempts: attempts("ntfChecked", "checks of subscriptions tried"),
  ntfDeleted: "subscriptions to notifications deleted from this server",
  ntfDelAttempts: attempts("ntfDeleted", "deletions of subscriptions tried"),
} as const;

/**
 * Messages. Total sent is `sentDirect` + `sentViaProxy`; `sentProxied` is the proxy's view of messages that are counted
 * as `sentViaProxy` at their own server.
 *
 * The counters of all three protocols are those of simplexmq 6.5.5, `Simplex.Messaging.Agent.Stats`, without the leading
 * underscore. Where SimpleX has several errors of one kind, they share the attempts of that kind.
 */
export const smp = defineProtocol("smp", SMP);
/** Files, in pieces that SimpleX calls replicas of chunks. See {@link smp}. */
export const xftp = defineProtocol("xftp", XFTP);
/** Push notifications. See {@link smp}. */
export const ntf = defineProtocol("ntf", NTF);

const DEFINITIONS: Readonly<Record<SimplexProtocol, ProtocolDefinition>> = { smp: SMP, xftp: XFTP, ntf: NTF };
const PROTOCOLS: Readonly<Record<SimplexProtocol, Protocol>> = { smp, xftp, ntf };

export const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as readonly SimplexProtocol[];

/** Gauges by their names in SimpleX's JSON. */
export const SESSION_GAUGES = {
  ssConnected: "connected",
  ssErrors: "sessionErrors",
  ssConnecting: "connecting",
} as const;
export const SUBS_GAUGES = { ssActive: "activeSubs", ssPending: "pendingSubs" } as const;
export const PROGRESS_GAUGES = {
  rcvInProgress: "receiving",
  sndInProgress: "sending",
  delInProgress: "deleting",
} as const;

/** The counters that this version knows, in the order in which they are shown. */
export function knownCounters(protocol: SimplexProtocol): readonly string[] {
  return PROTOCOLS[protocol].counters.map(({ name }) => name);
}

/** A counter's name in SimpleX's JSON. */
export function fieldOf(counter: string): string {
  assertGiven(typeof counter === "string", "counter must be a name");
  return `_${counter}`;
}

/** How many of a counter's units here one unit of its field in SimpleX's JSON is. */
export function scaleOf(protocol: SimplexProtocol, counter: string): number {
  const index = PROTOCOLS[protocol].counterIndex.get(counter);
  return index !== undefined && PROTOCOLS[protocol].counters[index]?.unit === "bytes" ? BYTES_PER_KB : 1;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** The counter behind a field that this version does not know; null where it cannot be one. */
export function unknownCounterOf(protocol: SimplexProtocol, field: string): string | null {
  if (!field.startsWith("_")) return null;
  const counter = field.slice(1);
  const taken = PROTOCOLS[protocol].counterIndex.has(counter) || PROTOCOLS[protocol].gaugeIndex.has(counter);
  return !taken && counter !== "__proto__" && NAME.test(counter) ? counter : null;
}

/** The protocols, extended by counters that a later simplexmq has: so they are kept like any other. */
export function protocolsWith(unknown: Readonly<Partial<Record<SimplexProtocol, Iterable<string>>>>): Protocol[] {
  return PROTOCOL_NAMES.map((name) => {
    const counters = [...(unknown[name] ?? [])];
    if (counters.length === 0) return PROTOCOLS[name];
    const help = "a counter of a later version of SimpleX";
    return defineProtocol(name, {
      ...DEFINITIONS[name],
      ...Object.fromEntries(counters.map((counter) => [counter, help])),
    });
  });
}

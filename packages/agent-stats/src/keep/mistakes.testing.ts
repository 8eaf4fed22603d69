/** For tests of what went wrong elsewhere: SimpleX's own counters, all of them, and what to count with them. */
import { defineProtocol } from "../record/protocol.ts";
import type { Recorder } from "../record/recorder.ts";
import type { StatsStore } from "../store/store.ts";
import { type AgentStats, type OpenOptions, openAgentStats } from "./open.ts";

export const HOUR = 3_600_000;

/** As simplexmq 6.5.5 names them; the last two are for tests that need no name of its own. */
const SMP = [
  ...(["sentDirect", "sentViaProxy", "sentProxied", "sentDirectAttempts", "sentViaProxyAttempts"] as const),
  ...([
    "sentProxiedAttempts",
    "sentAuthErrs",
    "sentQuotaErrs",
    "sentExpiredErrs",
    "sentOtherErrs",
    "recvMsgs",
  ] as const),
  ...([
    "recvDuplicates",
    "recvCryptoErrs",
    "recvErrs",
    "ackMsgs",
    "ackAttempts",
    "ackNoMsgErrs",
    "ackOtherErrs",
  ] as const),
  ...(["connCreated", "connSecured", "connCompleted", "connDeleted", "connDelAttempts", "connDelErrs"] as const),
  ...(["connSubscribed", "connSubAttempts", "connSubIgnored", "connSubErrs"] as const),
  ...(["ntfKey", "ntfKeyAttempts", "ntfKeyDeleted", "ntfKeyDeleteAttempts", "sent", "sendAttempts"] as const),
];

const helpFor = <N extends string>(names: readonly N[]) =>
  Object.fromEntries(names.map((name) => [name, `${name}, told`])) as Record<N, string>;

export const smp = defineProtocol("smp", {
  ...helpFor(SMP),
  ssConnected: { help: "sessions connected", gauge: true },
  ssActive: { help: "subscriptions active", gauge: true },
});
export const xftp = defineProtocol("xftp", { sent: "files sent" });
export const ntf = defineProtocol("ntf", { sent: "notifications sent" });

/** Statistics that are saved when the test says so. */
export function open(store: StatsStore, options: Partial<OpenOptions> = {}): Promise<AgentStats> {
  return openAgentStats({ protocols: [smp, xftp, ntf], store, flushEvery: HOUR, onProblem: () => {}, ...options });
}

/** Counts so many of everything: for two users whose names begin alike, in three protocols. */
export function count(stats: Pick<AgentStats, "server"> | Recorder, n: number): void {
  for (const user of [1, 10]) {
    for (const protocol of [smp, xftp, ntf]) stats.server(protocol, user, `${protocol.name}://a`).add("sent", n);
  }
}

/** Gives every counter and gauge a number that no other has; returns those of the counters. */
export function allNumbers(stats: AgentStats): Record<string, number> {
  const server = stats.server(smp, 1, "smp://a");
  const numbers = SMP.map((name, i) => [name, 101 + i] as const);
  for (const [name, n] of numbers) server.add(name, n);
  server.set("ssConnected", 901);
  server.set("ssActive", 902);
  return Object.fromEntries(numbers);
}

/** The overall numbers, as `protocol user server` → counters. */
export async function shown(stats: AgentStats): Promise<Record<string, Readonly<Record<string, number>>>> {
  const { servers } = await stats.getServersStats();
  return Object.fromEntries(servers.map((s) => [`${s.protocol} ${s.userId} ${s.server}`, s.overall]));
}

export function total(numbers: Record<string, Readonly<Record<string, number>>>): number {
  return Object.values(numbers).reduce((sum, { sent = 0 }) => sum + sent, 0);
}

import type { Protocol } from "agent-stats";

/** The protocols whose counters this command knows: the app's own are known by name only. */
export async function knownProtocols(): Promise<readonly Protocol[]> {
  const [{ mqtt }, { smp, xftp, ntf }] = await Promise.all([import("agent-stats/mqtt"), import("agent-stats/simplex")]);
  return [mqtt, smp, xftp, ntf];
}

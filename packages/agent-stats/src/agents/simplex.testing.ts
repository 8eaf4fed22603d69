/** For the tests of `agent-stats/simplex`: statistics of a core in every layout, with a number of its own in every field. */
import { createHash } from "node:crypto";
import type { SimplexProtocol } from "./simplex-protocols.ts";

export const STARTED_AT = "2026-05-04T03:02:01.987654321Z";

/** Written out once more, as the source of simplexmq 6.5.5 has them: what is tested must not test itself. */
export const FIELDS: Readonly<Record<SimplexProtocol, readonly string[]>> = {
  smp: `_sentDirect _sentViaProxy _sentProxied _sentDirectAttempts _sentViaProxyAttempts _sentProxiedAttempts
    _sentAuthErrs _sentQuotaErrs _sentExpiredErrs _sentOtherErrs _recvMsgs _recvDuplicates _recvCryptoErrs _recvErrs
    _ackMsgs _ackAttempts _ackNoMsgErrs _ackOtherErrs _connCreated _connSecured _connCompleted _connDeleted
    _connDelAttempts _connDelErrs _connSubscribed _connSubAttempts _connSubIgnored _connSubErrs _ntfKey _ntfKeyAttempts
    _ntfKeyDeleted _ntfKeyDeleteAttempts`.split(/\s+/),
  xftp: `_uploads _uploadsSize _uploadAttempts _uploadErrs _downloads _downloadsSize _downloadAttempts _downloadAuthErrs
    _downloadErrs _deletions _deleteAttempts _deleteErrs`.split(/\s+/),
  ntf: "_ntfCreated _ntfCreateAttempts _ntfChecked _ntfCheckAttempts _ntfDeleted _ntfDelAttempts".split(" "),
};

export const PROTOCOLS = ["smp", "xftp", "ntf"] as const;

/** A server's address; the same for the same name. */
export function address(protocol: SimplexProtocol, name: string, hosts = `${name}.example`): string {
  const hash = createHash("sha256").update(`${protocol} ${name}`).digest("base64");
  return `${protocol}://${hash.replaceAll("+", "-").replaceAll("/", "_")}@${hosts}`;
}

/** The first prime numbers. */
function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((p) => p * p > n || n % p !== 0)) found.push(n);
  return found;
}

export type Entry = readonly [readonly [number, string], Readonly<Record<string, number>>];
export type Persisted = Readonly<Record<`${SimplexProtocol}ServersStats`, Entry[]>>;

/** What a core with these users and servers has saved: in every field another prime number. */
export function persisted(users: readonly number[], servers: Readonly<Record<SimplexProtocol, number>>): Persisted {
  const width = PROTOCOLS.reduce((sum, protocol) => sum + servers[protocol] * FIELDS[protocol].length, 0);
  const numbers = primes(width * users.length);
  let next = 0;
  const entries = (protocol: SimplexProtocol): Entry[] =>
    users.flatMap((user) =>
      Array.from({ length: servers[protocol] }, (_, i) => {
        const stats = FIELDS[protocol].map((field) => [field, numbers[next++] as number] as const);
        return [[user, address(protocol, `s${i}`)], Object.fromEntries(stats)] as const;
      }),
    );
  return { smpServersStats: entries("smp"), xftpServersStats: entries("xftp"), ntfServersStats: entries("ntf") };
}

/** Every number of it by user, server and name here, as the source of simplexmq explains them: sizes are KB of 1 024. */
export function expectedRows(saved: Persisted): Map<string, Record<string, number>> {
  return new Map(
    PROTOCOLS.flatMap((protocol) =>
      saved[`${protocol}ServersStats`].map(([[user, server], stats]) => {
        const numbers = Object.entries(stats).map(([field, value]) => [
          field.slice(1),
          field.endsWith("Size") ? value * 1024 : value,
        ]);
        return [`${protocol} ${user} ${server}`, Object.fromEntries(numbers)] as const;
      }),
    ),
  );
}

/** Rows of this library in the same form. */
export function rowsByName(
  rows: readonly { protocol: string; userId: string; server: string; numbers: Readonly<Record<string, number>> }[],
): Map<string, Readonly<Record<string, number>>> {
  return new Map(rows.map(({ protocol, userId, server, numbers }) => [`${protocol} ${userId} ${server}`, numbers]));
}

/** A SimpleX core's agent database, in its schema, with a number of its own in every field. */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

export const PASSPHRASE = "it's the core's own";

export const FIELDS = {
  smp: `_sentDirect _sentViaProxy _sentProxied _sentDirectAttempts _sentViaProxyAttempts _sentProxiedAttempts
    _sentAuthErrs _sentQuotaErrs _sentExpiredErrs _sentOtherErrs _recvMsgs _recvDuplicates _recvCryptoErrs _recvErrs
    _ackMsgs _ackAttempts _ackNoMsgErrs _ackOtherErrs _connCreated _connSecured _connCompleted _connDeleted
    _connDelAttempts _connDelErrs _connSubscribed _connSubAttempts _connSubIgnored _connSubErrs _ntfKey _ntfKeyAttempts
    _ntfKeyDeleted _ntfKeyDeleteAttempts`.split(/\s+/),
  xftp: `_uploads _uploadsSize _uploadAttempts _uploadErrs _downloads _downloadsSize _downloadAttempts _downloadAuthErrs
    _downloadErrs _deletions _deleteAttempts _deleteErrs`.split(/\s+/),
  ntf: "_ntfCreated _ntfCreateAttempts _ntfChecked _ntfCheckAttempts _ntfDeleted _ntfDelAttempts".split(" "),
} as const;

export type Protocol = keyof typeof FIELDS;
export const PROTOCOLS = Object.keys(FIELDS) as Protocol[];

export type Stats = Readonly<Record<string, number>>;
export type Entry = readonly [readonly [user: number, server: string], Stats];
export type Persisted = Readonly<Record<`${Protocol}ServersStats`, readonly Entry[]>>;

export function address(protocol: Protocol, name: string): string {
  const hash = createHash("sha256").update(`${protocol} ${name}`).digest("base64");
  return `${protocol}://${hash.replaceAll("+", "-").replaceAll("/", "_")}@${name}.example`;
}

/** 3 users on 40 servers of all protocols: another prime number in each of the 2 544 fields. */
export function persisted(): Persisted {
  const number = primes();
  const entries = (protocol: Protocol, servers: number): Entry[] =>
    [1, 2, 3].flatMap((user) =>
      Array.from({ length: servers }, (_, i): Entry => {
        const stats = FIELDS[protocol].map((field) => [field, number.next().value as number]);
        return [[user, address(protocol, `s${i}`)], Object.fromEntries(stats)];
      }),
    );
  return {
    smpServersStats: entries("smp", 20),
    xftpServersStats: entries("xftp", 12),
    ntfServersStats: entries("ntf", 8),
  };
}

function* primes(): Generator<number> {
  const found: number[] = [];
  for (let n = 2; ; n++) {
    if (!found.every((prime) => prime * prime > n || n % prime !== 0)) continue;
    found.push(n);
    yield n;
  }
}

/** A number as it must be shown here: sizes are KB of 1 024 there. */
export const unitsOf = (field: string, value: number) => (field.endsWith("Size") ? value * 1_024 : value);

interface Handle {
  exec(sql: string): unknown;
  prepare(sql: string): { run(params: readonly unknown[]): unknown };
  close(): void;
}

/** The table of migration M20240702_servers_stats, and one of the many others. */
const SCHEMA = `
CREATE TABLE users(user_id INTEGER PRIMARY KEY AUTOINCREMENT, deleted INTEGER DEFAULT 0 CHECK(deleted NOT NULL));
CREATE TABLE servers_stats(
  servers_stats_id INTEGER PRIMARY KEY,
  servers_stats TEXT,
  started_at TEXT NOT NULL DEFAULT(datetime('now')),
  created_at TEXT NOT NULL DEFAULT(datetime('now')),
  updated_at TEXT NOT NULL DEFAULT(datetime('now'))
);
INSERT INTO servers_stats (servers_stats_id) VALUES (1);`;

/** Opens one as the core does; with its passphrase, or none. */
export function openCore(file: string, passphrase: string | null = PASSPHRASE): Handle {
  const require = createRequire(import.meta.url);
  const { default: Database } = require("@signalapp/sqlcipher") as { default: new (path: string) => Handle };
  const handle = new Database(file);
  if (passphrase !== null) handle.exec(`PRAGMA key = '${passphrase.replaceAll("'", "''")}'`);
  return handle;
}

export function createCore(file: string, passphrase: string | null = PASSPHRASE): Handle {
  const handle = openCore(file, passphrase);
  handle.exec(SCHEMA);
  return handle;
}

export function saveCore(handle: Handle, stats: object | null, startedAt = "2026-05-04 03:02:01.987654321"): void {
  handle
    .prepare("UPDATE servers_stats SET servers_stats = ?, started_at = ?, updated_at = datetime('now')")
    .run([stats && JSON.stringify(stats), startedAt]);
}

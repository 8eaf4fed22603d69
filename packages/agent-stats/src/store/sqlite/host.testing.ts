/** For tests of statistics in a host's own database: a chat app's, with its users and messages. */
import { join } from "node:path";
import { afterAll } from "vitest";
import { type AgentStats, type KeepOptions, openAgentStats } from "../../keep/open.ts";
import { defineProtocol } from "../../record/protocol.ts";
import { type DriverName, loadDriver } from "../sqlcipher/drivers.ts";
import { KEY, temporaryFolder } from "../sqlcipher/files.testing.ts";
import type { SqliteHandle } from "./handle.ts";
import { type SqliteStoreOptions, sqliteStore } from "./store.ts";

export const smp = defineProtocol("smp", {
  sent: "messages sent",
  received: "messages received",
  errors: { help: "messages refused", error: true },
});

const opened: SqliteHandle[] = [];
afterAll(() => {
  for (const handle of opened.splice(0)) {
    try {
      handle.close();
    } catch {
      // The test closed it.
    }
  }
});

export interface Host {
  readonly file: string;
  readonly handle: SqliteHandle;
  /** The rows of a query. */
  all<R>(sql: string): R[];
  /** The one value that a query selects. */
  value(sql: string): unknown;
}

/** A handle on that file as a host would open it, with a key unless it is to be without. */
export function openHandle(driver: DriverName, file: string, key: string | null = KEY): SqliteHandle {
  const { open, beforeKey } = loadDriver(driver);
  const handle = open(file);
  opened.push(handle);
  if (key !== null) handle.exec(`${beforeKey}; PRAGMA key = "x'${key}'"`);
  return handle;
}

/** A chat's database with three users, 1, 2 and 10, and a message of each. */
export function openHost(
  driver: DriverName,
  { file = join(temporaryFolder(), "chat.db"), key = KEY as string | null } = {},
): Host {
  const handle = openHandle(driver, file, key);
  handle.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS users (user_id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE IF NOT EXISTS messages (user_id INTEGER REFERENCES users ON DELETE CASCADE, body TEXT);
    INSERT OR IGNORE INTO users VALUES (1, 'anna'), (2, 'bela'), (10, 'jana');
    INSERT INTO messages SELECT user_id, 'hello' FROM users WHERE NOT EXISTS (SELECT 1 FROM messages);
  `);
  return hostOf(file, handle);
}

export function hostOf(file: string, handle: SqliteHandle): Host {
  return {
    file,
    handle,
    all: <R>(sql: string) => handle.prepare(sql).all([]) as R[],
    value: (sql) => Object.values(handle.prepare(sql).get([]) as object)[0],
  };
}

/** Every pragma that could be changed behind a host's back, as the handle has it now. */
export function pragmas({ handle }: Host): Record<string, unknown> {
  const names = [
    "journal_mode synchronous busy_timeout foreign_keys cache_size temp_store secure_delete auto_vacuum locking_mode",
    "recursive_triggers wal_autocheckpoint mmap_size query_only read_uncommitted page_size",
    "user_version application_id defer_foreign_keys ignore_check_constraints journal_size_limit trusted_schema",
  ].flatMap((line) => line.split(" "));
  return Object.fromEntries(
    names.map((name) => {
      const [row = {}] = hostOf("", handle).all<object>(`PRAGMA ${name}`);
      return [name, Object.values(row)[0]];
    }),
  );
}

/** Opens statistics in the host's database; they are saved when the test says so, unless it says how often. */
export async function openIn(
  { handle }: Pick<Host, "handle">,
  { flushEvery = 3_600_000, ...options }: SqliteStoreOptions & { flushEvery?: number } = {},
) {
  const store = sqliteStore(handle, options);
  /** The problems that were told, by code. */
  const told: (string | null)[] = [];
  const onProblem: KeepOptions["onProblem"] = (problem) => void told.push(problem?.code ?? null);
  return { store, told, stats: await openAgentStats({ protocols: [smp], store, flushEvery, onProblem }) };
}

/** The same, with so many messages of each user. */
export async function keepUsers(host: Pick<Host, "handle">, options: Parameters<typeof openIn>[1] = {}) {
  const opened = await openIn(host, options);
  count(opened.stats);
  await opened.stats.flush();
  return opened;
}

export function count(stats: AgentStats, n = 5): void {
  for (const user of [1, 2, 10]) stats.server(smp, user, "smp://a").add("sent", n);
}

/** The users of whom there are statistics in the database, by whoever looks. */
export const kept = (host: Host) =>
  host.all<{ id: string }>("SELECT user_id AS id FROM agent_stats_key ORDER BY key_id").map(({ id }) => id);

/** The users of the host's own. */
export const records = (host: Host) =>
  host.all<{ id: number }>("SELECT user_id AS id FROM users ORDER BY user_id").map(({ id }) => id);

/** The sum over all that is counted. */
export const sum = (host: Host, schema = "main") =>
  host.value(`SELECT (SELECT COALESCE(SUM(value), 0) FROM "${schema}".agent_stats_past)
    + (SELECT COALESCE(SUM(value), 0) FROM "${schema}".agent_stats_count WHERE session_id IN
      (SELECT session_id FROM "${schema}".agent_stats_session WHERE folded = 0))`);

/** What there is in the file, by name. */
export const tables = (host: Host, schema = "main") =>
  host
    .all<{ name: string }>(`SELECT name FROM "${schema}".sqlite_schema WHERE type <> 'index' ORDER BY name`)
    .map(({ name }) => name);

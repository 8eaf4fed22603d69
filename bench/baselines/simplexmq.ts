import { createRequire } from "node:module";
import { smp } from "agent-stats/simplex";
import { KEY } from "../support/disk.ts";
import { keyAt } from "../support/keys.ts";
import { randomOf } from "../support/measure.ts";

/** What is used of either driver. */
export interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): {
    run(params: readonly unknown[]): unknown;
    get(params: readonly unknown[]): unknown;
    all(params: readonly unknown[]): unknown[];
  };
  close(): unknown;
}

const require = createRequire(import.meta.url);

/** An encrypted database in this thread: the one driver that runs on every Node. */
export function openEncrypted(file: string): Database {
  const { default: DatabaseOf } = require("@signalapp/sqlcipher") as { default: new (path: string) => Database };
  const database = new DatabaseOf(file);
  database.exec(`PRAGMA key = "x'${KEY.toString("hex")}'"; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL`);
  return database;
}

type Stats = Record<string, number>;

/**
 * simplexmq's way to keep statistics (6.5.5, `Simplex.Messaging.Agent`): every 10 seconds the whole map, as one JSON
 * text in one row of the agent's database, whether anything changed or not. Rebuilt here from its source, on the driver
 * that the library uses, with `synchronous = NORMAL`, which is the cheaper one for it.
 */
export class WholeMap {
  readonly map = new Map<string, { readonly key: readonly [number, string]; readonly stats: Stats }>();
  readonly #database: Database;

  constructor(file: string) {
    this.#database = openEncrypted(file);
    this.#database.exec(`CREATE TABLE IF NOT EXISTS servers_stats (
      servers_stats_id INTEGER PRIMARY KEY, servers_stats TEXT, started_at TEXT, created_at TEXT, updated_at TEXT)`);
    this.#database.exec("INSERT OR IGNORE INTO servers_stats (servers_stats_id) VALUES (1)");
  }

  /** That many keys, each with all counters of SMP, of every magnitude up to 10 000 alike. */
  fill(keys: number): void {
    const random = randomOf(keys);
    for (let number = 0; number < keys; number++) {
      const { userId, server } = keyAt(number);
      const stats = Object.fromEntries(smp.counters.map(({ name }) => [`_${name}`, Math.floor(10_000 ** random())]));
      this.map.set(`${userId} ${server}`, { key: [Number(userId), server], stats });
    }
  }

  count(number: number, counter: string): void {
    const { userId, server } = keyAt(number);
    const stats = this.map.get(`${userId} ${server}`)?.stats;
    if (stats) stats[`_${counter}`] = (stats[`_${counter}`] ?? 0) + 1;
  }

  /** SQLite writes only those pages of the text that differ: all behind the first number that grows by a digit. */
  save(at = new Date()): void {
    const smpServersStats = [...this.map.values()].map(({ key, stats }) => [key, stats]);
    const text = JSON.stringify({ smpServersStats, xftpServersStats: [], ntfServersStats: [] });
    this.#database
      .prepare("UPDATE servers_stats SET servers_stats = ?, updated_at = ? WHERE servers_stats_id = 1")
      .run([text, at.toISOString()]);
  }

  restore(): void {
    const row = this.#database.prepare("SELECT servers_stats AS text FROM servers_stats").get([]) as { text: string };
    const { smpServersStats } = JSON.parse(row.text) as { smpServersStats: [[number, string], Stats][] };
    this.map.clear();
    for (const [key, stats] of smpServersStats) this.map.set(`${key[0]} ${key[1]}`, { key, stats });
  }

  /** simplexmq drops the user from the map, and saves it without. */
  deleteUser(userId: number): void {
    for (const [name, { key }] of this.map) if (key[0] === userId) this.map.delete(name);
    this.save();
  }

  close(): void {
    this.#database.close();
  }
}

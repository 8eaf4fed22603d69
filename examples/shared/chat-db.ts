import { createRequire } from "node:module";
import type { SqliteHandle } from "agent-stats/sqlite";
import type { Message } from "./connections.ts";

/** The chat's own database, as any chat has one: it knows nothing of statistics. */
export interface ChatDb {
  /** What the chat's own statements run on. */
  readonly handle: SqliteHandle;
  users(): number[];
  /** Stores messages, sends each, and marks those that were sent. Of a user who was just deleted nothing is stored. */
  deliver(messages: readonly Message[], send: (message: Message) => Promise<unknown>): Promise<void>;
  /** The user, and every message of that user. */
  deleteUser(userId: number): void;
  close(): void;
}

const SCHEMA = `
CREATE TABLE users (user_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
CREATE TABLE messages (
  message_id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  server TEXT NOT NULL,
  text TEXT NOT NULL,
  sent INTEGER NOT NULL DEFAULT 0
);
INSERT INTO users (name) VALUES ('anna'), ('bruno');`;

type DatabaseClass = new (path: string) => SqliteHandle;
type DriverName = "better-sqlite3-multiple-ciphers" | "@signalapp/sqlcipher";

/** better-sqlite3's encrypted relative crashes Node.js below 22: it must not even be imported there. */
const nodeMajor = Number(process.versions.node.split(".")[0]);
const usable: DriverName = nodeMajor >= 22 ? "better-sqlite3-multiple-ciphers" : "@signalapp/sqlcipher";

const require = createRequire(import.meta.url);

/** Opens an encrypted database of SQLCipher's format 4, by default with the driver that this Node.js can run. */
export function openEncrypted(file: string, hexKey: string, driver: DriverName = usable): SqliteHandle {
  const loaded = require(driver) as DatabaseClass | { readonly default: DatabaseClass };
  const Database = "default" in loaded ? loaded.default : loaded;
  const handle = new Database(file);
  // Without legacy=4 the format would be the driver's own, which the sqlcipher shell does not open.
  if (driver === "better-sqlite3-multiple-ciphers") handle.exec("PRAGMA cipher = 'sqlcipher'; PRAGMA legacy = 4");
  handle.exec(`PRAGMA key = "x'${hexKey}'"`);
  return handle;
}

/** Opens the chat's database, and creates it with its first two users where there is none. */
export function openChat(file: string, hexKey: string): ChatDb {
  const handle = openEncrypted(file, hexKey);
  handle.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;   -- a power cut takes nothing that was acknowledged, statistics included
    PRAGMA foreign_keys = ON;
    PRAGMA busy_timeout = 5000;`);
  if (!handle.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'users'").get([])) handle.exec(SCHEMA);
  const users = handle.prepare("SELECT user_id AS id FROM users ORDER BY user_id");
  const add = handle.prepare(
    `INSERT INTO messages (user_id, server, text) SELECT user_id, ?, ? FROM users WHERE user_id = ?
      RETURNING message_id AS id`,
  );
  const sent = handle.prepare("UPDATE messages SET sent = 1 WHERE message_id = ?");
  const remove = handle.prepare("DELETE FROM users WHERE user_id = ?");
  return {
    handle,
    users: () => (users.all([]) as { id: number }[]).map(({ id }) => id),
    async deliver(messages, send) {
      const deliver = async (message: Message) => {
        const stored = add.get([message.server, message.text, message.userId]) as { id: number } | undefined;
        await send(message);
        if (stored && message.answered) sent.run([stored.id]);
      };
      await Promise.all(messages.map(deliver));
    },
    deleteUser: (userId) => void remove.run([userId]),
    close: () => void handle.close(),
  };
}

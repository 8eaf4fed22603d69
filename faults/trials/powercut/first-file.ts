import { copyFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { DRIVERS, databaseClass, openWithKey } from "../../oracle/drivers.ts";
import { KEY, userOf } from "../../oracle/names.ts";
import { rawState } from "../../oracle/raw-file.ts";
import type { Entry } from "../../oracle/story.ts";
import { USERS } from "./users.ts";

/** A host's database with a table of its own. */
export function makeHostFile(file: string): Entry[] {
  const handle = openWithKey(file, DRIVERS[0]);
  handle.exec("PRAGMA journal_mode = WAL; CREATE TABLE users (name TEXT PRIMARY KEY)");
  for (let n = 1; n <= USERS; n++) handle.prepare("INSERT INTO users VALUES (?)").run([userOf(n)]);
  handle.close();
  return [];
}

/** The key of the files that the first schema left. */
const KEY_OF_SCHEMA_1 = "15".repeat(32);

/** A file that the first schema left, under the campaign's key, and what it holds. */
export function makeOldFile(file: string, name: "clean" | "open"): Entry[] {
  for (const suffix of ["", "-wal"]) {
    const from = join(fixtures(), `${name}.db${suffix}`);
    if (existsSync(from)) copyFileSync(from, file + suffix);
  }
  const handle = new (databaseClass("@signalapp/sqlcipher"))(file);
  try {
    handle.exec(`PRAGMA key = "x'${KEY_OF_SCHEMA_1}'"; PRAGMA rekey = "x'${KEY}'"`);
    const counted = [...rawState(handle)].map(([key, value]): Entry => {
      const [user, server, counter] = key.split("|") as [string, string, string];
      return ["add", user, server, counter, value];
    });
    return [["start"], ...counted, ["asked", 0, "save"], ["done", 0]];
  } finally {
    handle.close();
  }
}

/** Beside the sources, wherever this was compiled to. */
function fixtures(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "packages"))) folder = dirname(folder);
  return join(folder, "packages", "agent-stats", "fixtures", "schema-1");
}

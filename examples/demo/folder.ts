import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Where everything lies. Only agent-stats writes into `statistics`. */
export interface Places {
  readonly folder: string;
  readonly statistics: string;
  readonly file: string;
  readonly keyFile: string;
  readonly plaintext: string;
}

/** Something that whoever started the demo can put right, in one sentence. */
export class UsageError extends Error {}

/**
 * Makes the folders and a new key.
 *
 * @param dir null: a new folder among the system's temporary ones
 * @throws UsageError when the folder cannot be had, or holds something already
 */
export function makePlaces(dir: string | null): Places {
  const folder = dir === null ? mkdtempSync(join(tmpdir(), "agent-stats-")) : ownFolder(dir);
  const places = {
    folder,
    statistics: join(folder, "db"),
    file: join(folder, "db", "stats.db"),
    keyFile: join(folder, "key", "stats.key"),
    plaintext: join(folder, "plaintext"),
  };
  for (const name of ["db", "key", "plaintext"]) mkdirSync(join(folder, name), { mode: 0o700 });
  // An app keeps its key in the system's keychain. A demo can only keep it in another folder, for its owner alone.
  writeFileSync(places.keyFile, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600 });
  return places;
}

function ownFolder(dir: string): string {
  // npm runs scripts in the package's folder; a relative path is meant from where npm was called.
  const from = process.env.npm_lifecycle_event === "start" ? process.env.INIT_CWD : undefined;
  const folder = resolve(from ?? process.cwd(), dir);
  try {
    makeFolder(folder);
    if (readdirSync(folder).length === 0) return folder;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`The folder ${folder} cannot be made or read (${code}): name another one with --dir.`);
  }
  throw new UsageError(`The folder ${folder} is not empty: name a new or an empty one with --dir.`);
}

/** By hand, because the recursive `mkdirSync` never returns where folders cannot be made at all, as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

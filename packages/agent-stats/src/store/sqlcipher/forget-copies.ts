import { createHmac } from "node:crypto";
import { readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { countChange } from "../sqlite/changes.ts";
import { codeOf, immediately, type SqliteHandle, statsErrorOf } from "../sqlite/handle.ts";
import { copiesAside } from "./aside.ts";
import { underLock } from "./create.ts";
import type { DamagedOptions } from "./damaged.ts";
import { loadDriver } from "./drivers.ts";
import { salvageFrom } from "./examine/salvage.ts";
import { syncFolder } from "./folder.ts";
import { decryptPage, PAGE_BYTES, type PageKeys, pageKeys, SALT_BYTES } from "./pages/cipher.ts";
import { type FileBytes, keysThatFit, readFiles } from "./pages/image.ts";
import { looksLikeTree } from "./pages/tree.ts";

/** A note in the database that a user is yet to be forgotten in copies: of the user, it holds no more than a digest. */
const NOTE = "aside:";

/**
 * Notes that copies which were moved aside may hold that user. Before the deletion, so that no crash leaves it out.
 * @throws StatsError when the database fails
 */
export function rememberToForget(handle: SqliteHandle, userId: string): void {
  try {
    const note = NOTE + digestOf(saltOf(handle), userId);
    write(handle, "INSERT OR REPLACE INTO agent_stats_meta (name, value) VALUES (?, 1)", [note]);
  } catch (error) {
    throw statsErrorOf(error);
  }
}

/** One statement for each of these, all in one transaction, which counts as a change. */
function write(handle: SqliteHandle, sql: string, names: readonly string[]): void {
  immediately(handle, () => {
    for (const name of names) handle.prepare(sql).run([name]);
    countChange(handle);
  });
}

/**
 * Forgets those users in every copy beside the file. A copy is rewritten with what authenticates of all others; what does
 * not could hold the name, as decrypting needs no authentication, and goes: forgetting wins over keeping. What another
 * key opens stays as it is.
 *
 * @returns true when it is done; false when it is to be tried again
 */
export function forgetInCopies(handle: SqliteHandle, options: DamagedOptions): boolean {
  try {
    const digests = new Set(notes(handle).map((name) => name.slice(NOTE.length)));
    if (digests.size === 0) return true;
    const salt = saltOf(handle);
    underLock(loadDriver(options.driver), options.file, () => {
      for (const copy of copiesAside(options.file)) {
        rewrite(copy, options, (userId) => digests.has(digestOf(salt, userId)));
      }
      syncFolder(dirname(options.file));
    });
    write(
      handle,
      "DELETE FROM agent_stats_meta WHERE name = ?",
      [...digests].map((digest) => NOTE + digest),
    );
    return true;
  } catch {
    // A disk that is full or fails for now: the note stays, and so does the copy.
    return false;
  }
}

/** What a rewriting that was cut off leaves beside a copy. */
const DRAFT = "-kept";

function rewrite(copy: string, options: DamagedOptions, isForgotten: (userId: string) => boolean): void {
  const draft = copy + DRAFT;
  removeDrafts(copy);
  const files = readFiles(copy);
  const keys = keysThatFit(files, options.keyLiteral);
  if (keys === null && !mayBeOurs(files, options.keyLiteral)) return;
  const isKept = keys !== null && hasSalvaged(files, keys, draft, options, isForgotten);
  // In this order: a crash leaves the copy without its WAL, which the next attempt can still read.
  for (const part of ["-wal", "-shm"]) rmSync(copy + part, { force: true });
  if (isKept) renameSync(draft, copy);
  else rmSync(copy, { force: true });
}

function hasSalvaged(
  files: FileBytes,
  keys: PageKeys,
  draft: string,
  options: DamagedOptions,
  isForgotten: (userId: string) => boolean,
): boolean {
  try {
    salvageFrom(files, keys, { ...options, to: draft }, isForgotten);
    return true;
  } catch (error) {
    if (/^STATS_(DAMAGED|NEWER_SCHEMA)$/.test(codeOf(error))) return false;
    throw error;
  }
}

function removeDrafts(copy: string): void {
  const prefix = basename(copy) + DRAFT;
  for (const name of readdirSync(dirname(copy))) {
    if (name.startsWith(prefix)) rmSync(join(dirname(copy), name), { force: true });
  }
}

/**
 * Whether pages that do not authenticate are pages of ours all the same: a raw key decrypts them without the salt, whose
 * loss is what keeps them from authenticating. A WAL alone, without the page that holds the salt, is taken for ours.
 */
function mayBeOurs({ db, wal }: FileBytes, keyLiteral: string): boolean {
  const frames = [...wal.committed, ...wal.beyond];
  if (db === null || db.length < SALT_BYTES) return frames.length > 0;
  const keys = pageKeys(keyLiteral, Buffer.from(db.subarray(0, SALT_BYTES)));
  const isTree = (bytes: Buffer, number: number) => looksLikeTree(decryptPage(bytes, number, keys), number);
  if (frames.some(({ page, bytes }) => isTree(bytes, page))) return true;
  for (let number = 1; number * PAGE_BYTES <= db.length; number++) {
    if (isTree(db.subarray((number - 1) * PAGE_BYTES, number * PAGE_BYTES), number)) return true;
  }
  return false;
}

function notes(handle: SqliteHandle): string[] {
  const rows = handle.prepare("SELECT name FROM agent_stats_meta WHERE name LIKE ?").all([`${NOTE}%`]);
  return (rows as { name: string }[]).map(({ name }) => name);
}

function saltOf(handle: SqliteHandle): number {
  const row = handle.prepare("SELECT value FROM agent_stats_meta WHERE name = 'salt'").get([]);
  return (row as { value: number }).value;
}

function digestOf(salt: number, userId: string): string {
  return createHmac("sha256", String(salt)).update(userId).digest("hex");
}

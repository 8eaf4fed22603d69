import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Image } from "./disk.ts";

/** Where images are tried: in memory where the system has a place for that. Encrypted, and removed at once. */
export function scratchFolder(name: string): string {
  for (const place of ["/dev/shm", tmpdir()]) {
    try {
      return mkdtempSync(join(place, `agent-stats-${name}-`));
    } catch {
      // The next one.
    }
  }
  throw new Error("there is no folder for temporary files");
}

/** Makes the folder hold these files and no other. */
export function putImage(folder: string, image: Image): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [name, bytes] of image) writeFileSync(join(folder, name), bytes);
}

/** SQLite's shared memory is left out: it is no part of what is kept. */
export function imageOf(folder: string): Image {
  const names = readdirSync(folder).filter((name) => !name.endsWith("-shm"));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

/** Tells images apart. */
export function digestOf(image: Image): string {
  const hash = createHash("sha1");
  for (const [name, bytes] of [...image].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("base64");
}

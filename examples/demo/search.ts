import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Counts, PageSearch, Scan } from "./evidence.ts";

/** A record of the database holds the user shortly before the server. */
const BESIDE_BYTES = 64;

/** Looks for names in every byte of every file of a folder, and in the names of its files. */
export function searchFolder(folder: string, names: readonly string[]): Scan {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const contents = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name)));
  const haystacks = [...contents, ...files.map(({ name }) => Buffer.from(name))];
  // As UTF-8 and as UTF-16, in which SQLite can store text too.
  const isIn = (bytes: Buffer, name: string) => bytes.includes(name) || bytes.includes(name, 0, "utf16le");
  return {
    files: files.map(({ name }) => name),
    sizeBytes: contents.reduce((sum, { length }) => sum + length, 0),
    found: names.filter((name) => haystacks.some((bytes) => isIn(bytes, name))),
  };
}

/** Looks for names in decrypted pages, and for servers that do not stand beside the user who stays. */
export function searchPages(
  pages: readonly Buffer[],
  {
    users,
    servers,
    stays,
  }: { readonly users: readonly string[]; readonly servers: readonly string[]; readonly stays: string },
): PageSearch {
  const count = (name: string) => pages.reduce((sum, page) => sum + positions(page, name).length, 0);
  const hits: Counts = Object.fromEntries([...users, ...servers].map((name) => [name, count(name)]));
  const strays = pages.flatMap((page) =>
    servers.flatMap((server) =>
      positions(page, server).filter((at) => !page.subarray(Math.max(0, at - BESIDE_BYTES), at).includes(stays)),
    ),
  );
  return { pages: pages.length, hits, strayServers: strays.length };
}

function positions(bytes: Buffer, name: string): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) found.push(at);
  return found;
}

/**
 * Looks for what must be readable nowhere: the campaign's key, and the mark that every user, server, topic and counter
 * name of the campaign carries. It is looked for in every byte of every file that a trial leaves, and in all that its
 * processes said, in each way in which a program could have written it down.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Stands in every name that the campaign makes up. An identifier, so that counters can carry it too. */
export const MARK = "zq7canary";

/** The campaign's key: 32 bytes that no other data holds. */
export const KEY = "c7a1f09d3b5e82641a9cd07f4e6b3852f1d8a40b97c25e63708bd1f4a96e3c5d";

/** The campaign's own ledgers tell names in plaintext: they live in folders of this name, and nothing else does. */
export const LEDGERS = "ledgers";

/** One secret, in one of the ways in which it could be written. */
export interface Needle {
  /** `name, utf-16`. */
  readonly what: string;
  readonly bytes: Buffer;
}

export interface Hit {
  readonly what: string;
  /** The file below the folder, or `output 3`. */
  readonly where: string;
}

export interface Searched {
  readonly files: number;
  readonly bytes: number;
  readonly outputs: number;
  /** Each needle at most once a place. */
  readonly hits: readonly Hit[];
}

/** A text in each way in which it could be written. */
export function needlesOfText(what: string, text: string): Needle[] {
  const bytes = Buffer.from(text);
  return [
    { what: `${what}, utf-8`, bytes },
    { what: `${what}, utf-16`, bytes: Buffer.from(text, "utf16le") },
    { what: `${what}, hex`, bytes: Buffer.from(bytes.toString("hex")) },
    ...base64Of(what, bytes),
  ];
}

/** A key, given as 64 hex digits, in each way in which it could be written. */
export function needlesOfKey(hex: string): Needle[] {
  const bytes = Buffer.from(hex, "hex");
  return [
    { what: "key, hex", bytes: Buffer.from(hex) },
    { what: "key, upper case hex", bytes: Buffer.from(hex.toUpperCase()) },
    { what: "key, hex in utf-16", bytes: Buffer.from(hex, "utf16le") },
    { what: "key, raw", bytes },
    ...base64Of("key", bytes),
    ...base64Of("key in hex", Buffer.from(hex)),
  ];
}

/** Where it begins within three bytes decides how base64 writes it; the digits at its ends belong to its neighbours too. */
function base64Of(what: string, bytes: Buffer): Needle[] {
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const inside = text.slice(shift === 0 ? 0 : shift + 1, (bytes.length + shift) % 3 === 0 ? undefined : -1);
    const forms = new Set([inside, inside.replaceAll("+", "-").replaceAll("/", "_")]);
    return [...forms].map((form) => ({ what: `${what}, base64`, bytes: Buffer.from(form) }));
  });
}

/** What is looked for after every trial. */
export const CANARIES: readonly Needle[] = [...needlesOfText("name", MARK), ...needlesOfKey(KEY)];

/**
 * Searches every file below a folder, the names of the files, and what processes said. A needle across two chunks of a
 * file is found too.
 */
export function searchCanaries(
  folder: string,
  outputs: readonly string[] = [],
  needles: readonly Needle[] = CANARIES,
): Searched {
  const hits: Hit[] = [];
  let bytes = 0;
  const files = filesBelow(folder);
  const search = searcherOf(needles);
  for (const file of files) {
    const where = relative(folder, file);
    const content = search(file);
    bytes += content.bytes;
    for (const { what } of new Set([...foundIn(Buffer.from(where), needles), ...content.found]))
      hits.push({ what, where });
  }
  for (const [index, output] of outputs.entries()) {
    for (const { what } of foundIn(Buffer.from(output), needles)) hits.push({ what, where: `output ${index + 1}` });
  }
  return { files: files.length, bytes, outputs: outputs.length, hits: unique(hits) };
}

/** Removes what a unit leaves, which is searched first: what stands in the open there is a failure of the unit. */
export function removeSearched(folder: string, needles: readonly Needle[] = CANARIES): void {
  const { hits } = searchCanaries(folder, [], needles);
  rmSync(folder, { recursive: true, force: true });
  const [first] = hits;
  if (first) throw new Error(`${hits.length} secrets stand in the open: ${first.what} in ${first.where}`);
}

/** Which of them stand in these bytes. */
export function foundIn(bytes: Buffer, needles: readonly Needle[]): Needle[] {
  return needles.filter((needle) => bytes.includes(needle.bytes));
}

function unique(hits: readonly Hit[]): Hit[] {
  return [...new Map(hits.map((hit) => [`${hit.what} ${hit.where}`, hit])).values()];
}

/** All but ledgers. What vanishes while it is listed was never left behind. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !relative(folder, path).split(sep).includes(LEDGERS));
}

interface SearchedFile {
  readonly bytes: number;
  readonly found: Iterable<Needle>;
}

/** Copies of one file are searched once: there are many needles, and images of a database by the hundred. */
function searcherOf(needles: readonly Needle[]): (file: string) => SearchedFile {
  const known = new Map<string, SearchedFile>();
  return (file) => {
    const small = readSmall(file);
    if (small === null) return searchLarge(file, needles);
    const digest = createHash("sha1").update(small).digest("base64");
    const searched = known.get(digest) ?? { bytes: small.length, found: foundIn(small, needles) };
    known.set(digest, searched);
    return searched;
  };
}

function searchLarge(file: string, needles: readonly Needle[]): SearchedFile {
  const found = new Set<Needle>();
  const bytes = eachChunk(file, longest(needles), (chunk) => {
    for (const needle of foundIn(chunk, needles)) found.add(needle);
  });
  return { bytes, found };
}

/** Null where it is larger, or gone. */
function readSmall(file: string): Buffer | null {
  try {
    return statSync(file).size <= CHUNK_BYTES ? readFileSync(file) : null;
  } catch {
    return null;
  }
}

const CHUNK_BYTES = 1 << 20;

function longest(needles: readonly Needle[]): number {
  return Math.max(...needles.map(({ bytes }) => bytes.length));
}

/** The file piece by piece, each with the end of the one before. Returns how many bytes it has. */
function eachChunk(file: string, overlap: number, visit: (chunk: Buffer) => void): number {
  const fd = openOrNull(file);
  if (fd === null) return 0;
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES + overlap);
    let kept = 0;
    for (let total = 0; ; ) {
      const read = readSync(fd, buffer, kept, CHUNK_BYTES, null);
      if (read === 0) return total;
      total += read;
      visit(buffer.subarray(0, kept + read));
      const end = kept + read;
      kept = Math.min(overlap, end);
      buffer.copyWithin(0, end - kept, end);
    }
  } finally {
    closeSync(fd);
  }
}

function openOrNull(file: string): number | null {
  try {
    return openSync(file, "r");
  } catch {
    return null;
  }
}

import { rmSync } from "node:fs";
import { join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import { searchCanaries } from "../../oracle/canary.ts";
import { type Seen, seenByMover, seenByReader, seenByWriter, seenInPlain } from "../../oracle/judge-file.ts";
import { canonical, type State } from "../../oracle/story.ts";
import type { Image } from "../../replay/disk.ts";
import { imageOf, putImage } from "../../replay/image.ts";
import type { BaseHistory } from "./bases.ts";
import { DB, WAL } from "./damages.ts";

/** What became of a damaged image in somebody's hands. */
export type Outcome = "latest" | "earlier" | "refused" | "movedAside" | "wrong" | "broke" | "changed";

export interface Verdict {
  readonly outcome: Outcome;
  readonly what: string;
  /** What was shown, where anything was. */
  readonly state?: State;
}

export interface Expected {
  /** Who made the file, and opens it. */
  readonly driver: DriverName;
  readonly latest: string;
  /** What may be shown beside that. */
  readonly honest: ReadonlySet<string>;
  /** Every state that this history ever was in. */
  readonly states: ReadonlySet<string>;
}

/**
 * Where the database's own bytes are as they once were, it says what it said without a WAL, and a part of a WAL can add
 * what came after. Where they are not, its WAL may still cover the harm: then it says the latest, or nothing. Where
 * there is no file, one is begun.
 */
export function honestOf(image: Image, { bases }: Pick<BaseHistory, "bases">): ReadonlySet<string> {
  const db = image.get(DB);
  if (!db) return new Set([""]);
  return bases.find((base) => base.image.get(DB)?.equals(db))?.sinceAlone ?? new Set();
}

/** Opens a copy as a reader, who may change nothing, and another as a writer who goes on counting. */
export async function judge(folder: string, image: Image, expected: Expected): Promise<readonly [Verdict, Verdict]> {
  const file = join(folder, DB);
  putImage(folder, image);
  const seen = await seenByReader(file, expected.driver);
  const left = imageOf(folder);
  // A WAL without bytes says nothing: SQLite itself takes it away.
  const lost = notKept(new Map([...image].filter(([, bytes]) => bytes.length > 0)), left);
  const reader: Verdict =
    lost === null
      ? verdictOf(seen, expected, { image, left })
      : { outcome: "changed", what: `only read, and ${lost} was changed` };
  putImage(folder, image);
  const writer = verdictOf(await seenByWriter(file, expected.driver), expected, { image, left: imageOf(folder) });
  return [reader, inTheOpen(folder) ?? writer];
}

/** Opens a copy as a writer who has damaged files moved aside. */
export async function judgeMover(folder: string, image: Image, expected: Expected): Promise<Verdict> {
  putImage(folder, image);
  const { seen, isToldOfMove } = await seenByMover(join(folder, DB), expected.driver);
  const place = { image, left: imageOf(folder) };
  const verdict = isToldOfMove ? verdictOfMove(seen, place) : (asideOf(place) ?? verdictOf(seen, expected, place));
  return inTheOpen(folder) ?? verdict;
}

/** The control: a file without encryption, read through the same API. */
export async function judgePlain(folder: string, image: Image, expected: Expected): Promise<Verdict> {
  putImage(folder, image);
  return verdictOf(await seenInPlain(join(folder, DB)), expected, { image, left: imageOf(folder) });
}

/** The control: a writer who begins anew where the file is refused. Null where it was not. */
export async function judgeBeginner(folder: string, image: Image, expected: Expected): Promise<Verdict | null> {
  putImage(folder, image);
  const file = join(folder, DB);
  if (!("refused" in (await seenByWriter(file, expected.driver)))) return null;
  for (const part of ["", "-wal", "-shm"]) rmSync(file + part, { force: true });
  return verdictOf(await seenByWriter(file, expected.driver), expected, { image, left: imageOf(folder) });
}

export interface Place {
  readonly image: Image;
  /** What stands in the folder afterwards. */
  readonly left: Image;
}

export function verdictOf(seen: Seen, { latest, honest, states }: Expected, { image, left }: Place): Verdict {
  if ("broke" in seen) return { outcome: "broke", what: seen.broke };
  if ("refused" in seen) {
    const { code } = seen.refused;
    const lost = notKept(image, left);
    if (lost !== null) return { outcome: "changed", what: `refused with ${code}, and ${lost} was changed` };
    // It is nobody's beginning: this library never leaves such a file.
    if (image.get(DB)?.length === 0 && code !== "STATS_EMPTY_FILE")
      return { outcome: "wrong", what: `a file without bytes is called ${code}` };
    return { outcome: "refused", what: code };
  }
  const { state } = seen;
  const shown = canonical(state);
  // A WAL without its file says nothing to anybody; but it is somebody's.
  if (!image.has(DB) && !isKeptSomewhere(image.get(WAL), left)) return { outcome: "changed", what: "the WAL is gone" };
  if (image.has(DB) && shown === latest) return { outcome: "latest", what: "", state };
  if (honest.has(shown)) return { outcome: "earlier", what: "", state };
  const isOld = states.has(shown) ? ", as it once was, which nothing in these files says" : "";
  return { outcome: "wrong", what: `${totalOf(state)}${isOld}`, state };
}

/** Whoever is told that a file was moved finds every byte of it and of its WAL beside, and a new one that begins at zero. */
export function verdictOfMove(seen: Seen, { image, left }: Place): Verdict {
  const copies = copiesIn(left);
  const [copy = ""] = copies;
  if (copies.length !== 1) return { outcome: "changed", what: `moved aside, and ${copies.length} copies are beside` };
  for (const [name, bytes] of image) {
    const now = left.get(`${copy}${name.slice(DB.length)}`);
    if (!now?.equals(bytes)) return { outcome: "changed", what: `moved aside, and not with every byte of ${name}` };
  }
  if (!("state" in seen)) {
    const how = "refused" in seen ? `refused with ${seen.refused.code}` : seen.broke;
    return { outcome: "broke", what: `the new file after a move: ${how}` };
  }
  const isNew = canonical(seen.state) === "";
  return isNew
    ? { outcome: "movedAside", what: "" }
    : { outcome: "wrong", what: `the new file after a move shows ${totalOf(seen.state)}`, state: seen.state };
}

/** Nobody was told of a move: then nothing may have been moved but a WAL without its file. */
export function asideOf({ image, left }: Place): Verdict | null {
  if (!image.has(DB) || copiesIn(left).length === 0) return null;
  return { outcome: "changed", what: "moved aside, and nobody was told" };
}

const copiesIn = (left: Image) => [...left.keys()].filter((name) => /^stats\.db-aside-\w+(-\d+)?$/.test(name));

/** Which of the files that could not be read is no longer as it was. */
function notKept(image: Image, left: Image): string | null {
  for (const [name, bytes] of image) {
    const now = left.get(name);
    if (!now) return `${name} (${bytes.length} bytes), which is gone,`;
    if (!now.equals(bytes)) return name;
  }
  return null;
}

function isKeptSomewhere(bytes: Buffer | undefined, left: Image): boolean {
  return bytes !== undefined && [...left.values()].some((now) => now.equals(bytes));
}

/** What the library wrote beside or into an image is searched before it is gone. */
function inTheOpen(folder: string): Verdict | null {
  const [hit] = searchCanaries(folder).hits;
  return hit ? { outcome: "broke", what: `a secret stands in the open: ${hit.what} in ${hit.where}` } : null;
}

function totalOf(state: State): string {
  const total = [...state.values()].reduce((sum, value) => sum + value, 0);
  return `${total} in ${state.size} counters`;
}

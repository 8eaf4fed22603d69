import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import { type Seen, seenByReader, seenByWriter, seenInPlain } from "../../oracle/judge-file.ts";
import { canonical } from "../../oracle/story.ts";
import type { Image } from "../../replay/disk.ts";
import { putImage } from "../../replay/image.ts";
import { DB, WAL } from "./damages.ts";

/** What became of a damaged image in somebody's hands. */
export type Outcome = "latest" | "earlier" | "refused" | "wrong" | "broke" | "changed";

export interface Verdict {
  readonly outcome: Outcome;
  readonly what: string;
}

export interface Expected {
  /** Who made the file, and opens it. */
  readonly driver: DriverName;
  readonly latest: string;
  /** Every state that this history ever was in. */
  readonly states: ReadonlySet<string>;
}

/** Opens a copy as a reader, and another as a writer who goes on counting. */
export async function judge(folder: string, image: Image, expected: Expected): Promise<readonly [Verdict, Verdict]> {
  const file = join(folder, DB);
  putImage(folder, image);
  const reader = verdictOf(await seenByReader(file, expected.driver), expected, { folder, image });
  putImage(folder, image);
  return [reader, verdictOf(await seenByWriter(file, expected.driver), expected, { folder, image })];
}

/** The control: a file without encryption, read through the same API. */
export async function judgePlain(folder: string, image: Image, expected: Expected): Promise<Verdict> {
  putImage(folder, image);
  return verdictOf(await seenInPlain(join(folder, DB)), expected, { folder, image });
}

interface Place {
  readonly folder: string;
  readonly image: Image;
}

function verdictOf(seen: Seen, { latest, states }: Expected, place: Place): Verdict {
  if ("broke" in seen) return { outcome: "broke", what: seen.broke };
  if ("refused" in seen) {
    const lost = notKept(place);
    const code = seen.refused.code;
    return lost === null
      ? { outcome: "refused", what: code }
      : { outcome: "changed", what: `refused with ${code}, and ${lost} was changed` };
  }
  const state = canonical(seen.state);
  if (!place.image.has(DB) && !isKeptSomewhere(place)) return { outcome: "changed", what: "the WAL is gone" };
  if (state === latest) return { outcome: "latest", what: "" };
  return states.has(state) ? { outcome: "earlier", what: "" } : { outcome: "wrong", what: totalOf(seen.state) };
}

/** Which of the files that could not be read is no longer as it was. */
function notKept({ folder, image }: Place): string | null {
  for (const [name, bytes] of image) {
    const path = join(folder, name);
    if (!existsSync(path)) return `${name} is gone`;
    if (!readFileSync(path).equals(bytes)) return name;
  }
  return null;
}

/** A WAL without its file says nothing to anybody; but it is somebody's. */
function isKeptSomewhere({ folder, image }: Place): boolean {
  const wal = image.get(WAL) as Buffer;
  return readdirSync(folder).some((name) => readFileSync(join(folder, name)).equals(wal));
}

function totalOf(state: ReadonlyMap<string, number>): string {
  const total = [...state.values()].reduce((sum, value) => sum + value, 0);
  return `${total} in ${state.size} counters`;
}

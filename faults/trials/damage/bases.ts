import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LEDGERS } from "../../oracle/canary.ts";
import { openWithKey } from "../../oracle/drivers.ts";
import { openPlain, rawState } from "../../oracle/raw-file.ts";
import { acknowledged, canonical, type Entry } from "../../oracle/story.ts";
import type { Image } from "../../replay/disk.ts";
import { imageOf, putImage } from "../../replay/image.ts";
import { DB } from "./damages.ts";
import type { MakerOrder, Told } from "./maker.child.ts";

/**
 * Whoever repeats an image makes its history anew, and all images of it before. A history costs as much as five images:
 * so many keep that small, and leave a short run several histories.
 */
export const IMAGES_A_HISTORY = 28;

/** A file as it should be, and what it may say when something happens to its WAL. */
export interface Base {
  readonly image: Image;
  /** What it says. */
  readonly latest: string;
  /** What it says without its WAL, and all that the history said after that: any part of a WAL can add as much. */
  readonly sinceAlone: ReadonlySet<string>;
}

export interface BaseHistory {
  /** Oldest first. */
  readonly bases: readonly Base[];
  /** All that it ever said, canonical. */
  readonly states: ReadonlySet<string>;
}

/** The files of one history. */
export function makeHistory(order: MakerOrder): BaseHistory {
  mkdirSync(order.folder, { recursive: true });
  const program = fileURLToPath(new URL("./maker.child.js", import.meta.url));
  execFileSync(process.execPath, [program, JSON.stringify(order)], { stdio: ["ignore", "ignore", "inherit"] });
  const told = JSON.parse(readFileSync(join(order.folder, LEDGERS, "told.json"), "utf8")) as Told;
  const states = statesOf(told.story);
  const bases = told.copies.map(({ name, entries }) => {
    const image = imageOf(join(order.folder, name));
    const alone = states.indexOf(saidAlone(image, order));
    if (alone < 0) throw new Error("a file without its WAL says what its history never said");
    return {
      image,
      latest: statesOf(told.story.slice(0, entries)).at(-1) ?? "",
      sinceAlone: new Set(states.slice(alone)),
    };
  });
  return { bases, states: new Set(states) };
}

const TABLES = "SELECT COUNT(*) AS tables FROM sqlite_schema WHERE name = 'agent_stats_count'";

/** What the file says without its WAL, in SQL of the judge's own. */
function saidAlone(image: Image, { folder, driver, plain }: MakerOrder): string {
  const alone = join(folder, "alone");
  putImage(alone, new Map([...image].filter(([name]) => name === DB)));
  const file = join(alone, DB);
  const handle = plain ? openPlain(file) : openWithKey(file, driver);
  try {
    // A host's own file is there before the tables are: they may stand in the WAL alone.
    const { tables } = handle.prepare(TABLES).get([]) as { readonly tables: number };
    return tables === 0 ? "" : canonical(rawState(handle));
  } finally {
    handle.close();
    rmSync(alone, { recursive: true });
  }
}

/** What the database said after each thing that was acknowledged, oldest first. */
function statesOf(story: readonly Entry[]): string[] {
  const states = [""];
  for (const [index, [kind]] of story.entries()) {
    if (kind === "done") states.push(canonical(acknowledged(story.slice(0, index + 1))));
  }
  return states;
}

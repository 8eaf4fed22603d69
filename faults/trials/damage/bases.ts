import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LEDGERS } from "../../oracle/canary.ts";
import { acknowledged, canonical, type Entry } from "../../oracle/story.ts";
import type { Image } from "../../replay/disk.ts";
import { imageOf } from "../../replay/image.ts";
import type { MakerOrder, Told } from "./maker.child.ts";

/** A file as it should be, and what it may say when something happens to it. */
export interface Base {
  readonly image: Image;
  /** What it says. */
  readonly latest: string;
  /** What it and all files before it said, canonical. */
  readonly earlier: ReadonlySet<string>;
}

/** The files of one history, oldest first. */
export function makeHistory(order: MakerOrder): Base[] {
  mkdirSync(order.folder, { recursive: true });
  const program = fileURLToPath(new URL("./maker.child.js", import.meta.url));
  execFileSync(process.execPath, [program, JSON.stringify(order)], { stdio: ["ignore", "ignore", "inherit"] });
  const told = JSON.parse(readFileSync(join(order.folder, LEDGERS, "told.json"), "utf8")) as Told;
  return told.copies.map(({ name, entries }) => {
    const states = statesOf(told.story.slice(0, entries));
    return { image: imageOf(join(order.folder, name)), latest: states.at(-1) ?? "", earlier: new Set(states) };
  });
}

/** What the database said after each thing that was acknowledged, oldest first. */
function statesOf(story: readonly Entry[]): string[] {
  const states = [""];
  for (const [index, [kind]] of story.entries()) {
    if (kind === "done") states.push(canonical(acknowledged(story.slice(0, index + 1))));
  }
  return states;
}

import type { Salvaged } from "agent-stats/sqlcipher";
import type { CliContext, Terminal } from "../context.ts";
import { inItsOwnWords } from "../errors.ts";
import type { SalvageFlags } from "../flags-of-verbs.ts";
import { keyFor } from "../source.ts";
import { wrapWords } from "../text/cells.ts";
import { type Fact, headerLines } from "../text/header.ts";
import { formatCount } from "../text/numbers.ts";
import { painter } from "../text/paint.ts";
import { plural } from "../text/plural.ts";
import { formatTime } from "../text/times.ts";

/** `agent-stats salvage`: reads what is left of a damaged file into a new one. */
export async function salvage(this: CliContext, { db, to, json, driver, ...flags }: SalvageFlags): Promise<void> {
  const key = await keyFor(flags, this);
  const { salvageFile } = await import("agent-stats/sqlcipher");
  const options = { from: db, to, key, thread: "same", ...(driver !== undefined && { driver }) } as const;
  const salvaged = await salvageFile(options).catch(inItsOwnWords);
  this.process.stdout.write(json ? `${JSON.stringify(salvageJson(salvaged))}\n` : salvageText(salvaged, this.terminal));
}

/** What `--json` prints: the library's own answer, with a date in place of milliseconds. */
export function salvageJson({ lastSaved, ...salvaged }: Salvaged) {
  return { ...salvaged, lastSaved: lastSaved === null ? null : new Date(lastSaved) };
}

/** What is shown to people. */
export function salvageText(
  { complete, read, lost, sums, history, lastSaved }: Salvaged,
  { width, colour }: Terminal,
): string {
  const paint = painter(colour);
  const losses = [
    [lost.pages, "page", "pages"],
    [lost.walFrames, "frame of the WAL", "frames of the WAL"],
    [lost.numbers, "number without a name", "numbers without a name"],
    [lost.sessions, "session but for what it counted", "sessions but for what they counted"],
  ] as const;
  const lostWords = losses.filter(([n]) => n > 0).map(([n, one, more]) => `${formatCount(n)} ${n === 1 ? one : more}`);
  const lower = "lower bounds: never more than what was saved, but maybe less";
  const facts: Fact[] = [
    {
      name: "read",
      sentence: `${plural(read.keys, "key")}, ${plural(read.sessions, "session")}, ${plural(read.numbers, "number")} of history`,
    },
    { name: "lost", sentence: lostWords.join(", ") || "nothing", warns: lostWords.length > 0 },
    { name: "sums", sentence: sums === "exact" ? "exact" : lower, warns: sums !== "exact" },
    { name: "history", sentence: history === "exact" ? "exact" : lower, warns: history !== "exact" },
    { name: "last saved", sentence: lastSaved === null ? "never" : formatTime(new Date(lastSaved)) },
  ];
  const end = complete
    ? "The new file holds all that the old one did."
    : "The new file holds what is left. The old one is as it was: keep it until the new one is in its place.";
  return `${[...headerLines(facts, width, paint), "", ...wrapWords(end, width), ""].join("\n")}`;
}

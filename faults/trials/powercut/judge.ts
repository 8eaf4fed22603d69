import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import { searchCanaries } from "../../oracle/canary.ts";
import { openWithKey } from "../../oracle/drivers.ts";
import { type Seen, seenByReader, seenByWriter } from "../../oracle/judge-file.ts";
import { integrityOf, rawState } from "../../oracle/raw-file.ts";
import { canonical, type Entry, everAdmissible, type State } from "../../oracle/story.ts";
import { FILE } from "./recording.ts";

/** What is wrong with what a power cut left. */
export type Fault = "corrupt" | "acknowledgedLost" | "neverCounted" | "halfDone" | "notErased";

export interface Verdict {
  readonly fault: Fault;
  readonly what: string;
}

/** Whose file it is, and who opens it. */
export interface By {
  readonly host: boolean;
  readonly driver: DriverName;
  /** Whether a writer goes on with it too. */
  readonly goOn: boolean;
}

export interface Expected {
  /** Every state that is right, canonical. */
  readonly states: ReadonlySet<string>;
  /** What is certainly in the database. */
  readonly acknowledged: State;
  /** What the process said until then. */
  readonly entries: readonly Entry[];
}

/** Judges a folder: by SQLite itself, by a reader through the public API, and by a writer who goes on. */
export async function judge(folder: string, expected: Expected, { host, driver, goOn }: By): Promise<Verdict | null> {
  const file = join(folder, FILE);
  const reader = await seenByReader(file, driver);
  // A host's own database is there before there are statistics in it.
  if (isMissing(reader) && existsSync(file) === host) {
    const isLost = expected.entries.some(([kind]) => kind === "done");
    return isLost ? { fault: "acknowledgedLost", what: "there are no statistics" } : null;
  }
  const read = verdictOf(reader, expected, "a reader");
  if (read !== null) return read;
  if (!goOn) return inTables(file, expected);
  // First of all, as whoever opens the file may mend it.
  const wrote = verdictOf(await seenByWriter(file, driver), expected, "a writer");
  if (wrote !== null) return wrote;
  const after = verdictOf(await withoutWriter(file, driver), expected, "a reader after the writer");
  return after ?? inTheOpen(folder) ?? inTables(file, expected);
}

/** What the writer wrote is searched before it is gone; what was recorded is searched with all that the trial leaves. */
function inTheOpen(folder: string): Verdict | null {
  const [hit] = searchCanaries(folder).hits;
  return hit ? { fault: "corrupt", what: `a secret stands in the open: ${hit.what} in ${hit.where}` } : null;
}

const isMissing = (seen: Seen) => "refused" in seen && seen.refused.code === "STATS_MISSING";

/** What is in the file after the writer's own count is taken off again. */
async function withoutWriter(file: string, driver: DriverName): Promise<Seen> {
  const seen = await seenByReader(file, driver);
  if (!("state" in seen)) return seen;
  return { state: withoutProbe(seen.state) };
}

const withoutProbe = (state: State): State => new Map([...state].filter(([key]) => !key.startsWith("probe|")));

/**
 * SQLCipher takes its salt from the file itself: where the first page was cut off while the WAL was moved into the file,
 * SQLite alone opens it only at the second time, after it has moved the WAL; better-sqlite3-multiple-ciphers, which does
 * not move it then, never does.
 */
function inTables(file: string, expected: Expected): Verdict | null {
  for (const isLast of [false, true]) {
    const handle = openWithKey(file);
    try {
      const integrity = integrityOf(handle);
      if (integrity !== "ok") return { fault: "corrupt", what: `SQLite says: ${integrity}` };
      return verdictOf({ state: withoutProbe(rawState(handle)) }, expected, "the tables");
    } catch (error) {
      if (isLast) return { fault: "corrupt", what: `SQLite says: ${(error as Error).message}` };
    } finally {
      handle.close();
    }
  }
  return null;
}

function verdictOf(seen: Seen, expected: Expected, who: string): Verdict | null {
  if ("refused" in seen) return { fault: "corrupt", what: `${who} is refused: ${seen.refused.code}` };
  if ("broke" in seen) return { fault: "corrupt", what: `${who} broke: ${seen.broke}` };
  if (expected.states.has(canonical(seen.state))) return null;
  return { fault: faultOf(seen.state, expected), what: `${who} sees ${textOf(seen.state, expected.acknowledged)}` };
}

/** A state that was right before is one from which something acknowledged is missing: a deletion, where it shows more. */
function faultOf(state: State, { states, entries }: Expected): Fault {
  if (everAdmissible(entries).has(canonical(state))) return "acknowledgedLost";
  return isBelow(state, states) ? "halfDone" : "neverCounted";
}

/** Nothing in it is above what it may be in some right state. */
function isBelow(state: State, states: ReadonlySet<string>): boolean {
  const most = new Map<string, number>();
  for (const each of states) {
    for (const line of each === "" ? [] : each.split("\n")) {
      const at = line.lastIndexOf("=");
      most.set(line.slice(0, at), Math.max(most.get(line.slice(0, at)) ?? 0, Number(line.slice(at + 1))));
    }
  }
  return [...state].every(([key, value]) => value <= (most.get(key) ?? 0));
}

function textOf(state: State, acknowledged: State): string {
  const total = (of: State) => [...of.values()].reduce((sum, value) => sum + value, 0);
  return `${total(state)} in ${state.size} counters, where ${total(acknowledged)} in ${acknowledged.size} were acknowledged`;
}

/** What becomes of the file of the statistics while it is open, and how its path comes back. */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Where a unit happens. */
export interface Place {
  /** A folder that stays, whatever becomes of `home`. */
  readonly outside: string;
  /** The folder of the file. */
  readonly home: string;
  readonly file: string;
  /** Another database, with the same key, another key, without any; and what is no database. */
  readonly others: Readonly<Record<"same key" | "other key" | "plaintext" | "garbage" | "empty", string>>;
}

export interface Scenario {
  readonly name: string;
  /** What the first save after it says. */
  readonly codes: readonly string[];
  disturb(place: Place): void;
  /** Puts back what was there; absent where the library goes on with what it finds at the path. */
  restore?(place: Place): void;
  /** Where that which was open stands in the end. Default: at its path. */
  readonly original?: "kept";
  /** What was put in its place must not change by a byte. */
  readonly untouched?: keyof Place["others"];
  /** What was put in its place is gone on with: it holds counts of its own. */
  readonly joined?: true;
}

const kept = ({ outside }: Place) => join(outside, "kept.db");
const away = ({ outside }: Place) => join(outside, "away");

/** Another name for the file itself, so that it can be looked at when its path is gone. */
export function keep(place: Place): void {
  rmSync(kept(place), { force: true });
  linkSync(place.file, kept(place));
}

export const pathOfKept = kept;

export const hashOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

function replacedBy(other: keyof Place["others"]): Scenario {
  return {
    name: `replaced by: ${other}`,
    codes: ["STATS_MOVED"],
    disturb: (place) => {
      copyFileSync(place.others[other], join(place.home, "incoming"));
      renameSync(join(place.home, "incoming"), place.file);
    },
    restore: (place) => {
      rmSync(place.file);
      linkSync(kept(place), place.file);
    },
    untouched: other,
  };
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "unlinked",
    codes: ["STATS_MOVED"],
    disturb: ({ file }) => unlinkSync(file),
    original: "kept",
  },
  {
    name: "unlinked with its log",
    codes: ["STATS_MOVED"],
    disturb: ({ file }) => {
      for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
    },
    original: "kept",
  },
  {
    name: "renamed",
    codes: ["STATS_MOVED"],
    disturb: ({ file }) => renameSync(file, `${file}.old`),
    original: "kept",
  },
  {
    name: "renamed and back before anybody looked",
    codes: [],
    disturb: ({ file }) => {
      renameSync(file, `${file}.old`);
      renameSync(`${file}.old`, file);
    },
  },
  {
    name: "its folder renamed",
    codes: ["STATS_MOVED", "STATS_FOLDER_MISSING"],
    disturb: (place) => renameSync(place.home, away(place)),
    restore: (place) => renameSync(away(place), place.home),
  },
  {
    name: "its folder renamed, another in its place",
    codes: ["STATS_MOVED"],
    disturb: (place) => {
      renameSync(place.home, away(place));
      mkdirSync(place.home);
    },
    original: "kept",
  },
  {
    name: "its folder removed",
    codes: ["STATS_MOVED", "STATS_FOLDER_MISSING"],
    disturb: ({ home }) => rmSync(home, { recursive: true }),
    restore: ({ home }) => mkdirSync(home),
    original: "kept",
  },
  {
    name: "its folder removed, and a file of that name made",
    codes: ["STATS_MOVED", "STATS_FOLDER_MISSING"],
    disturb: ({ home }) => {
      rmSync(home, { recursive: true });
      writeFileSync(home, "");
    },
    restore: (place) => {
      rmSync(place.home);
      mkdirSync(place.home);
      linkSync(kept(place), place.file);
    },
  },
  {
    name: "a folder of its name",
    codes: ["STATS_MOVED"],
    disturb: ({ file }) => {
      unlinkSync(file);
      mkdirSync(file);
    },
    restore: (place) => {
      rmSync(place.file, { recursive: true });
      linkSync(kept(place), place.file);
    },
  },
  {
    name: "a link that leads nowhere",
    codes: ["STATS_MOVED"],
    disturb: (place) => {
      unlinkSync(place.file);
      symlinkSync(join(place.outside, "nowhere", "stats.db"), place.file);
    },
    restore: (place) => {
      unlinkSync(place.file);
      linkSync(kept(place), place.file);
    },
  },
  { ...withoutRestore(replacedBy("same key")), original: "kept", joined: true },
  replacedBy("other key"),
  replacedBy("plaintext"),
  replacedBy("garbage"),
  replacedBy("empty"),
];

function withoutRestore({ restore: _restore, untouched: _untouched, ...scenario }: Scenario): Scenario {
  return scenario;
}

export function makePlace(folder: string, others: Place["others"]): Place {
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  return { outside: folder, home, file: join(home, "stats.db"), others };
}

/** The file of a place, alone, somewhere else: as a host that copies it would read it. */
export function copyAlone(path: string, to: string): string {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(path, to);
  return to;
}

// What a program is told: it imports nothing of pages, as the types of this subpath must need none of Node.js.

/** What `verifyFile` can find. Stable: programs may branch on them. */
export type FindingCode =
  /** Pages that hold something do not authenticate. */
  | "page-damaged"
  /** Pages that hold nothing do not authenticate: no number is harmed. */
  | "free-page-damaged"
  /** The file ends before its last page. */
  | "pages-missing"
  /** The file has no bytes, and its WAL has. */
  | "file-emptied"
  /** The WAL is damaged, or was cut, and saves that had been acknowledged are lost with it. */
  | "wal-damaged"
  /** The WAL ends in a save that is not whole. A power cut does that before the save is acknowledged; damage after. */
  | "wal-cut-off"
  /** There is no WAL, and its index tells of saves that are in no file. After a power cut the index can be too old. */
  | "wal-missing"
  /** The file and the WAL are each as they were written, at moments that do not follow upon each other. */
  | "wal-of-another-moment"
  /** SQLite's own check of tables and indices failed, though every page authenticates. */
  | "structure"
  /** What the library itself notes of the file is missing or impossible. */
  | "meta-invalid"
  /** A counter's value, an hour or a name is impossible. */
  | "value-invalid"
  /** Numbers belong to no known user and server. */
  | "key-unknown"
  /** Numbers belong to no known session. */
  | "session-unknown"
  /** A session's times or its ending contradict each other. */
  | "session-contradictory"
  /** The past is less than what its own history proves. */
  | "past-too-small";

export interface Finding {
  readonly code: FindingCode;
  /** One plain sentence, without any name. */
  readonly sentence: string;
  /** How many pages, saves, numbers or sessions it is about. */
  readonly count: number;
  /** False where something that harms nobody looks the same: the sentence tells what. */
  readonly isCertain: boolean;
}

/** What `verifyFile` says of a file. */
export interface FileFindings {
  /** True when there is nothing to say: no finding, not even one that may be harmless. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** How many pages the database has, WAL included. */
  readonly pages: number;
  /** How many frames of the WAL count. */
  readonly walFrames: number;
  /** Null, as the next ones, where damage keeps it from being read. */
  readonly schemaVersion: number | null;
  readonly sessions: number | null;
  readonly keys: number | null;
  /** How many damaged copies that were moved aside stand beside the file. */
  readonly copiesAside: number;
}

/** What `salvageFile` read, and what it could not. */
export interface Salvaged {
  /** True when nothing was lost: the new file holds all that the old one did. */
  readonly complete: boolean;
  /** What is in the new file. */
  readonly read: {
    readonly pages: number;
    readonly keys: number;
    readonly sessions: number;
    /** Numbers of the history, by session, hour, key and counter. */
    readonly numbers: number;
  };
  readonly lost: {
    /** Pages that do not authenticate, or are missing. */
    readonly pages: number;
    /** Frames of the WAL that are left out with one that cannot be read: saves after the moment that is salvaged. */
    readonly walFrames: number;
    /** Numbers whose user and server are lost, or that could not be true. */
    readonly numbers: number;
    /** Sessions of which only what they counted is left: their times are known to the hour. */
    readonly sessions: number;
  };
  /** Past and overall. A lower bound is never more than what was saved, and can be less. */
  readonly sums: "exact" | "lower bounds";
  /** What was counted by hour. */
  readonly history: "exact" | "lower bounds";
  /** The last save that is in it, ms since 1970; null where there is none. */
  readonly lastSaved: number | null;
}

const SENTENCES: Readonly<Record<FindingCode, (n: number) => string>> = {
  "page-damaged": (n) =>
    `${many(n, "page does", "pages do")} not authenticate: something other than SQLCipher changed them, and what they held is lost.`,
  "free-page-damaged": (n) =>
    `${many(n, "page does", "pages do")} not authenticate, but held nothing: no number is harmed, and the disk is to be looked at.`,
  "pages-missing": (n) => `${many(n, "page is", "pages are")} missing: the file was cut off.`,
  "file-emptied": () => "The file has no bytes, but its WAL has: something emptied the file.",
  "wal-damaged": (n) =>
    `The WAL is damaged, or was cut off or exchanged: ${many(n, "frame", "frames")} of it, already saved, cannot be read any more.`,
  "wal-cut-off": (n) =>
    `The WAL ends in a save that is not whole (${many(n, "frame", "frames")}): a power cut can do that and loses nothing that was acknowledged, damage can do it too.`,
  "wal-missing": (n) =>
    `There is no WAL, but its index tells of ${many(n, "frame", "frames")} not yet in the file: they are lost, unless a power cut left an old index.`,
  "wal-of-another-moment": (n) =>
    `The WAL (${many(n, "frame", "frames")}) is of another moment than the file: one of them was exchanged or restored without the other, or was cut off.`,
  structure: (n) =>
    `Every page is as it was written, but SQLite finds ${many(n, "fault", "faults")} in tables or indices: parts of the file are of different moments.`,
  "meta-invalid": (n) =>
    `${many(n, "note", "notes")} of the library on the file itself ${n === 1 ? "is" : "are"} missing or impossible.`,
  "value-invalid": (n) => `${many(n, "value is", "values are")} impossible: negative, not whole, or without a name.`,
  "key-unknown": (n) => `${many(n, "number belongs", "numbers belong")} to no known user and server.`,
  "session-unknown": (n) => `${many(n, "number belongs", "numbers belong")} to no known session.`,
  "session-contradictory": (n) =>
    `${many(n, "session contradicts itself", "sessions contradict themselves")} in times or ending.`,
  "past-too-small": (n) =>
    `${many(n, "sum of the past is", "sums of the past are")} less than what the history proves.`,
};

export function finding(code: FindingCode, count: number, isCertain = true): Finding {
  return { code, sentence: SENTENCES[code](count), count, isCertain };
}

function many(n: number, one: string, more: string): string {
  return `${n} ${n === 1 ? one : more}`;
}

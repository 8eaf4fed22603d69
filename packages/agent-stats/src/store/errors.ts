/** Why statistics cannot be kept or read. Stable: programs may branch on them. */
export type StatsErrorCode =
  /** The key is not 32 bytes, 64 hex digits or a passphrase. Thrown before any file is touched. */
  | "STATS_KEY_INVALID"
  /** The key does not open the file: it is another key, or the file is damaged; nobody can tell which. */
  | "STATS_KEY_REJECTED"
  /** The file is a SQLite database without encryption. */
  | "STATS_NOT_ENCRYPTED"
  /** The file is of another kind. */
  | "STATS_NOT_A_DATABASE"
  /** The file has no bytes. This library never leaves such a file behind. */
  | "STATS_EMPTY_FILE"
  /** A file stands where a new one was to be made. Nothing of this library ever replaces one. */
  | "STATS_FILE_EXISTS"
  /** A folder stands where the file should be. */
  | "STATS_IS_A_FOLDER"
  /** The folder that should hold the file is missing. */
  | "STATS_FOLDER_MISSING"
  /** There is no such file, or it holds no statistics yet. Only readers say this; writers create it. */
  | "STATS_MISSING"
  /** The file or its folder cannot be written. */
  | "STATS_READ_ONLY"
  /** The disk is full. */
  | "STATS_DISK_FULL"
  /** The file was read, and its content is damaged. */
  | "STATS_DAMAGED"
  /** A later version of this library wrote the file. */
  | "STATS_NEWER_SCHEMA"
  /** Another process held the file for too long. */
  | "STATS_BUSY"
  /** The file was moved, replaced or removed while it was open. */
  | "STATS_MOVED"
  /** The file was damaged and was moved aside, as the host had asked for; a new one is begun by the next call. */
  | "STATS_MOVED_ASIDE"
  /** No SQLite driver with encryption is installed that can work on this Node.js. */
  | "STATS_DRIVER_MISSING"
  /** The store failed in a way that has no code of its own; `cause` tells more. */
  | "STATS_STORE_FAILED"
  /** A report would have named a user or a server: it was not made. */
  | "STATS_REPORT_LEAKS"
  /** What was given as a report is none, or of a later version. */
  | "STATS_REPORT_UNREADABLE"
  /** The statistics were closed. */
  | "STATS_CLOSED";

/**
 * Every error of this library. `message` is one sentence that says what to do next. Neither it nor `cause` carries a
 * key, a user, a server or a path.
 */
export class StatsError extends Error {
  override readonly name = "StatsError";
  readonly code: StatsErrorCode;

  constructor(code: StatsErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** What a store threw, as an error of this library. */
export function asStatsError(error: unknown): StatsError {
  if (error instanceof StatsError) return error;
  const sentence = "The store failed; counting goes on in memory and saving is tried again.";
  return new StatsError("STATS_STORE_FAILED", sentence, { cause: error });
}

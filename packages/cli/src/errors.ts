import type { StatsErrorCode } from "agent-stats";

/** The exit codes. Stable: scripts branch on them. */
export const EXIT = {
  ok: 0,
  /** Anything that has no code of its own here. */
  other: 1,
  /** The command cannot be understood. */
  usage: 2,
  /** The key cannot be read, is none, or does not open the file. */
  key: 3,
  /** There are no statistics at this path. */
  missing: 4,
  /** There is something at this path that cannot be read: damaged, of a later version, of another kind. */
  unreadable: 5,
} as const;

type CliErrorCode =
  | "USAGE"
  | "KEY_FILE_UNREADABLE"
  /** Nothing here can read a keychain. */
  | "KEYCHAIN_MISSING"
  | "KEYCHAIN_UNREADABLE"
  | "KEYCHAIN_NO_ENTRY"
  /** Somebody was asked, and left. */
  | "CANCELLED"
  /** What cannot be undone was not confirmed by its name. */
  | "NOT_CONFIRMED"
  /** There is nothing of this name among the statistics. */
  | "NOT_FOUND"
  | "REPORT_NOT_SAVED"
  | "PORT_TAKEN"
  | "IMPORT_UNREADABLE"
  /** A file that is not SimpleX's statistics. */
  | "SIMPLEX_MALFORMED"
  /** Its numbers may be in the database already, under another name. */
  | "SIMPLEX_OVERLAP"
  | StatsErrorCode;

/** An error of the command itself. Its message is one sentence that says what to do next. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const EXIT_CODES: Readonly<Record<CliErrorCode, number>> = {
  USAGE: EXIT.usage,
  KEY_FILE_UNREADABLE: EXIT.key,
  KEYCHAIN_MISSING: EXIT.key,
  KEYCHAIN_UNREADABLE: EXIT.key,
  KEYCHAIN_NO_ENTRY: EXIT.key,
  CANCELLED: EXIT.other,
  NOT_CONFIRMED: EXIT.usage,
  NOT_FOUND: EXIT.missing,
  REPORT_NOT_SAVED: EXIT.other,
  PORT_TAKEN: EXIT.other,
  IMPORT_UNREADABLE: EXIT.missing,
  SIMPLEX_MALFORMED: EXIT.unreadable,
  SIMPLEX_OVERLAP: EXIT.other,
  STATS_KEY_INVALID: EXIT.key,
  STATS_KEY_REJECTED: EXIT.key,
  STATS_MISSING: EXIT.missing,
  STATS_FOLDER_MISSING: EXIT.missing,
  STATS_DAMAGED: EXIT.unreadable,
  STATS_NEWER_SCHEMA: EXIT.unreadable,
  STATS_NOT_A_DATABASE: EXIT.unreadable,
  STATS_NOT_ENCRYPTED: EXIT.unreadable,
  STATS_EMPTY_FILE: EXIT.unreadable,
  STATS_IS_A_FOLDER: EXIT.unreadable,
  STATS_READ_ONLY: EXIT.other,
  STATS_DISK_FULL: EXIT.other,
  STATS_BUSY: EXIT.other,
  STATS_MOVED: EXIT.other,
  STATS_FILE_EXISTS: EXIT.other,
  STATS_MOVED_ASIDE: EXIT.other,
  STATS_DRIVER_MISSING: EXIT.other,
  STATS_STORE_FAILED: EXIT.other,
  STATS_REPORT_LEAKS: EXIT.other,
  STATS_REPORT_UNREADABLE: EXIT.unreadable,
  STATS_CLOSED: EXIT.other,
};

/** What the library says to a program that keeps counting is wrong for somebody who waits for an answer. */
const SENTENCES: Readonly<Partial<Record<CliErrorCode, string>>> = {
  STATS_KEY_INVALID:
    "SQLCipher would not take this passphrase for one: it must not be of the form x'…', nor hold a zero byte.",
  STATS_KEY_REJECTED:
    "The key does not open this file: it is another key, or the file is damaged or of another kind; agent-stats verify can tell which where only its first page is damaged, and changes nothing.",
  STATS_DAMAGED:
    "The file, or its -wal beside it, is damaged; neither was changed: agent-stats verify tells where, and agent-stats salvage reads what is left into a new file.",
  STATS_READ_ONLY:
    "The file cannot be opened: SQLite must be able to write to its folder even to read, so become its owner, or copy it.",
  STATS_BUSY: "Another process held the statistics for too long: try again.",
  STATS_DISK_FULL: "The disk is full: make room, then try again.",
  STATS_STORE_FAILED: "The database failed in a way that has no name here: try again.",
};

/** Of verbs that examine a file: they tell more than the sentences above, which send to them. */
export function inItsOwnWords(error: unknown): never {
  throw isCoded(error) ? new CliError(error.code, error.message) : error;
}

interface Coded {
  readonly code: CliErrorCode;
  readonly message: string;
}

/** Known by its code, not by its class: so the library is not loaded to tell a mistyped flag. */
function isCoded(error: unknown): error is Coded {
  return error instanceof Error && "code" in error && Object.hasOwn(EXIT_CODES, String(error.code));
}

/** The exit code for an error that a verb threw. */
export function exitCodeOf(error: unknown): number {
  return isCoded(error) ? EXIT_CODES[error.code] : EXIT.other;
}

/**
 * The one line that is shown of an error: `agent-stats: <sentence> [CODE]`. Of an error that nobody foresaw only its
 * kind, as its message may hold a path, a server or worse.
 */
export function sentenceOf(error: unknown): string {
  if (!isCoded(error)) return line(`This should not have happened (${kindOf(error)}): please report it.`, "UNEXPECTED");
  const ofCli = error instanceof CliError;
  return line(ofCli ? error.message : (SENTENCES[error.code] ?? error.message), error.code);
}

/** A warning, in the same form: the command goes on. */
export function warningOf(sentence: string, code: string): string {
  return line(`Warning: ${sentence}`, code);
}

function line(sentence: string, code: string): string {
  return `agent-stats: ${sentence} [${code}]`;
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return "code" in error && typeof error.code === "string" ? `${error.name}, ${error.code}` : error.name;
}

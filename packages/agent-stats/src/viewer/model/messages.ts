import type { StatsErrorCode } from "../../store/errors.ts";

/** Something to do; with the command that does it, if there is one. */
export interface Step {
  readonly text: string;
  readonly command?: string;
}

export interface Message {
  readonly title: string;
  readonly text: string;
  /** What to do, one after the other, where it takes more than a sentence. */
  readonly steps?: readonly Step[];
  /** Whether looking again can help. */
  readonly retry: boolean;
}

const UNREADABLE = "These statistics cannot be read";
const VERIFY = "agent-stats verify --db FILE --key-file KEY";
const SALVAGE = "agent-stats salvage --db FILE --to NEW --key-file KEY";

const KEY_REJECTED: Message = {
  title: UNREADABLE,
  text: "Either the key is not the one of this file, or the file is damaged; from the outside nobody can tell which. Nothing was changed: keep the file as it is.",
  steps: [
    { text: "Check the key: is it the one that the app opens this file with?" },
    { text: "If it is, look for what is damaged. This changes no byte:", command: VERIFY },
    { text: "If something is, read what is left into a new file:", command: SALVAGE },
  ],
  retry: true,
};

const DAMAGED: Message = {
  title: "These statistics are damaged",
  text: "The key fits, and the file, or its -wal beside it, is damaged. Nothing was changed: keep both as they are.",
  steps: [
    { text: "Look for what is damaged. This changes no byte:", command: VERIFY },
    { text: "Read what is left into a new file:", command: SALVAGE },
  ],
  retry: true,
};

const FIRST_RUN: Message = {
  title: "Nothing has been recorded yet",
  text: "The app has not saved any statistics here so far. Start it and use it: this page fills by itself.",
  retry: true,
};

const MESSAGES: Readonly<Partial<Record<StatsErrorCode, Message>>> = {
  STATS_KEY_REJECTED: KEY_REJECTED,
  STATS_DAMAGED: DAMAGED,
  STATS_NOT_A_DATABASE: {
    title: UNREADABLE,
    text: "The file is of another kind, or was cut off. It was not changed: name another file, or move this one aside.",
    retry: true,
  },
  STATS_NOT_ENCRYPTED: {
    title: UNREADABLE,
    text: "The file is a database without encryption. It was not changed: name another file.",
    retry: true,
  },
  STATS_EMPTY_FILE: {
    title: UNREADABLE,
    text: "The file is empty: another program emptied or made it. Restore it, or remove it to begin anew.",
    retry: true,
  },
  STATS_MISSING: FIRST_RUN,
  STATS_FOLDER_MISSING: FIRST_RUN,
  STATS_BUSY: {
    title: "The statistics are in use",
    text: "Another program holds the file at this moment. This page tries again by itself.",
    retry: true,
  },
  STATS_NEWER_SCHEMA: {
    title: "A later version wrote these statistics",
    text: "This version cannot read them, and has not touched them. Update agent-stats, then open this page again.",
    retry: false,
  },
  STATS_DRIVER_MISSING: {
    title: "The driver for encrypted databases is missing",
    text: "Install better-sqlite3-multiple-ciphers or @signalapp/sqlcipher beside the app, then try again.",
    retry: true,
  },
};

/** What is told of an error: what happened, and what to do. */
export function messageOf(error: Error): Message {
  const code = "code" in error ? (String(error.code) as StatsErrorCode) : undefined;
  return (
    (code && MESSAGES[code]) ?? {
      title: "The statistics cannot be read at the moment",
      text: code ? error.message : "Something failed that nobody foresaw. Try again; if it stays, report it.",
      retry: true,
    }
  );
}

export { FIRST_RUN };

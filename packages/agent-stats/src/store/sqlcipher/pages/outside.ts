import { execFileSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync, readSync, type Stats, statSync } from "node:fs";
import { StatsError } from "../../errors.ts";
import { codeOf, statsErrorOf } from "../../sqlite/handle.ts";

/** What is read of a WAL's index: on Windows the bytes behind it are locked against reading. */
const INDEX_BYTES = 104;

/**
 * The bytes of a file that SQLite may have open in this very process. Here they are read by another process: by POSIX
 * rules, closing any descriptor of a file frees every lock that the process holds on it, and SQLite's locks are such.
 * Windows has no such rule.
 *
 * @returns null where there is no such file
 * @throws StatsError when it cannot be read; see {@link isWithoutReader}
 */
export function readOutside(path: string): Buffer | null {
  if (statOf(path) === null) return null;
  try {
    if (process.platform === "win32") return path.endsWith("-shm") ? readHead(path) : readFileSync(path);
    return readByAnother(path);
  } catch (error) {
    if (statOf(path) === null) return null;
    throw unreadableNow(error);
  }
}

/**
 * The bytes of a file on which SQLite takes no lock: its WAL.
 *
 * @returns null where there is no such file
 * @throws StatsError when it cannot be read
 */
export function readHere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (statOf(path) === null) return null;
    throw unreadableNow(error);
  }
}

function unreadableNow(error: unknown): StatsError {
  const sentence = "The file cannot be read: give this user the right to, then try again.";
  return new StatsError("STATS_STORE_FAILED", sentence, { cause: { code: codeOf(error) || "EIO" } });
}

/** Programs that write a file to their output: the quickest first; the last is there where nothing else is. */
const READERS: readonly (readonly [program: string, ...args: string[]])[] = [
  ["/bin/sh", "-c", 'exec cat -- "$AGENT_STATS_FILE"'],
  [process.execPath, "-e", 'require("fs").createReadStream(process.env.AGENT_STATS_FILE).pipe(process.stdout)'],
];
/** What a shell answers that found no such program. */
const NOT_FOUND = 127;
const NO_READER = "NO_READER";

function readByAnother(path: string): Buffer {
  // An Electron app that is started once more is not Node.js, but that app; a shell is wherever it can run.
  for (const [program, ...args] of process.versions.electron === undefined ? READERS : READERS.slice(0, 1)) {
    try {
      return execFileSync(program, args, {
        // Arguments can be seen by every user of the machine, the environment by this one only.
        env: { PATH: process.env.PATH ?? "/usr/bin:/bin", AGENT_STATS_FILE: path },
        maxBuffer: Number.POSITIVE_INFINITY,
        stdio: ["ignore", "pipe", "ignore"],
      });
    } catch (error) {
      // What began to run, and failed, could not read the file.
      const { status } = error as { status?: unknown };
      if (typeof status === "number" && status !== NOT_FOUND) throw error;
    }
  }
  throw Object.assign(new Error("no program to read with"), { code: NO_READER });
}

/** Whether the file could not be read only because this process may not start, or does not find, another one. */
export function isWithoutReader(error: unknown): boolean {
  return error instanceof StatsError && codeOf(error.cause) === NO_READER;
}

function readHead(path: string): Buffer {
  const fd = openSync(path, "r");
  try {
    const head = Buffer.alloc(Math.min(INDEX_BYTES, fstatSync(fd).size));
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } finally {
    closeSync(fd);
  }
}

/** Null where there is nothing at this path. */
export function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw statsErrorOf({ code: "SQLITE_CANTOPEN" });
  }
}

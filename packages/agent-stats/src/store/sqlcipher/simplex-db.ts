import { closeSync, constants, copyFileSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assertGiven } from "../../record/given.ts";
import { StatsError } from "../errors.ts";
import { codeOf, type SqliteHandle, statsErrorOf } from "../sqlite/handle.ts";
import { lockFile } from "../sqlite/locks.ts";
import { type DriverName, loadDriver } from "./drivers.ts";
import { assertPath, fileGiven } from "./given.ts";
import { keyLiteral } from "./key.ts";

/** What the core's agent database says of its statistics: `parseSimplex` reads it. */
export interface SimplexDatabaseRow {
  /** JSON; null after a reset. */
  readonly servers_stats: string | null;
  /** When the core began to count, in UTC. */
  readonly started_at: string;
  readonly updated_at: string;
}

export interface SimplexDatabaseOptions {
  /** The path of the core's agent database, e.g. `simplex_v1_agent.db`. */
  readonly file: string;
  /** The passphrase of the app or the core; none where its database is not encrypted. */
  readonly passphrase?: string;
  /** Default: the first of the known drivers that is installed and can work on this Node.js. */
  readonly driver?: DriverName;
}

/** simplexmq saves its statistics every 10 s; a file that is written to for longer than this is busy with more. */
const QUIET_WITHIN_MS = 15_000;
const RETRY_MS = 50;
/** Times of files are told in steps of up to this: what was written later within one step would not be seen. */
const CLOCK_STEP_MS = 20;
const SUFFIXES = ["", "-wal", "-journal"] as const;

/**
 * Reads the statistics in a SimpleX core's agent database, also while the core has it open. The database is copied while
 * nobody writes to it, and only the copy is opened: SQLite itself can write to what it only reads from (it moves a WAL
 * into the file, and rolls back what a crash left). The copy is as encrypted as the original, and removed at once.
 *
 * @throws StatsError `STATS_MISSING`, `STATS_KEY_INVALID`, `STATS_KEY_REJECTED`, `STATS_BUSY` and others of opening
 * @throws TypeError where `file` is no path
 */
export async function readSimplexDatabase(options: SimplexDatabaseOptions): Promise<SimplexDatabaseRow> {
  const given = fileGiven(options);
  const driver = loadDriver(given.driver);
  const key = options.passphrase === undefined ? null : keyLiteral({ passphrase: options.passphrase });
  const folder = mkdtempSync(join(tmpdir(), "agent-stats-"));
  try {
    const copy = join(folder, "agent.db");
    await copyQuietly(given.file, copy);
    const isPlain = isPlaintext(copy);
    if (!isPlain && key === null) throw rejected();
    return readRow(driver.open(copy), isPlain ? "" : `${driver.beforeKey}; PRAGMA key = ${key};`);
  } catch (error) {
    throw errorOf(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lets others import no SimpleX statistics into that database. */
export interface SimplexLock {
  release(): void;
}

/**
 * Holds the one lock for importing and watching into that database: two at once would count differences twice. The
 * operating system frees it when the process dies. It leaves an empty file `<file>-simplex` behind.
 *
 * @throws StatsError `STATS_BUSY` while another process holds it
 * @throws TypeError where `file` is no path
 */
export function lockSimplexImports(file: string, withinMs = 2_000): SimplexLock {
  assertPath(file);
  assertGiven(Number.isFinite(withinMs), "withinMs is a number of milliseconds");
  const driver = loadDriver();
  let handle: SqliteHandle | null;
  try {
    handle = lockFile(`${file}-simplex`, (path) => driver.open(path), withinMs);
  } catch {
    throw statsErrorOf({ code: "SQLITE_CANTOPEN" });
  }
  if (handle === null) throw new StatsError("STATS_BUSY", "Another import or watch is at work on this database.");
  const held = handle;
  return { release: () => void held.close() };
}

function readRow(handle: SqliteHandle, unlock: string): SimplexDatabaseRow {
  try {
    handle.exec(`${unlock} PRAGMA temp_store = MEMORY; PRAGMA query_only = ON`);
    const tables = handle.prepare("SELECT name FROM sqlite_schema WHERE name = 'servers_stats'").all([]);
    const rows =
      tables.length === 0
        ? []
        : handle.prepare("SELECT servers_stats, started_at, updated_at FROM servers_stats LIMIT 2").all([]);
    if (rows.length !== 1) {
      throw new StatsError(
        "STATS_MISSING",
        "The database holds no statistics of SimpleX: name the agent database of a core of version 6 or later.",
      );
    }
    return rows[0] as SimplexDatabaseRow;
  } finally {
    handle.close();
  }
}

/** A copy of a moment in which nobody wrote, with the journal or WAL that belongs to it. */
async function copyQuietly(file: string, copy: string): Promise<void> {
  for (const started = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, RETRY_MS))) {
    const before = stampOf(file);
    if (before.parts[0] === null) throw Object.assign(new Error("missing"), { code: "ENOENT" });
    if (Date.now() - before.changedAt > CLOCK_STEP_MS) {
      copyParts(file, copy);
      if (JSON.stringify(stampOf(file).parts) === JSON.stringify(before.parts)) return;
    }
    if (Date.now() - started > QUIET_WITHIN_MS) throw Object.assign(new Error("busy"), { code: "SQLITE_BUSY" });
  }
}

function copyParts(file: string, copy: string): void {
  for (const suffix of SUFFIXES) {
    rmSync(copy + suffix, { force: true });
    try {
      copyFileSync(file + suffix, copy + suffix, constants.COPYFILE_FICLONE);
    } catch (error) {
      // One that went away meanwhile is seen by the second look.
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
}

function stampOf(file: string) {
  const stats = SUFFIXES.map((suffix) => statSync(file + suffix, { bigint: true, throwIfNoEntry: false }));
  return {
    parts: stats.map((stat) => (stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : null)),
    changedAt: Math.max(...stats.map((stat) => (stat ? Number(stat.mtimeMs) : 0))),
  };
}

function isPlaintext(file: string): boolean {
  const fd = openSync(file, "r");
  try {
    const head = Buffer.alloc(15);
    readSync(fd, head, 0, head.length, 0);
    return head.toString("latin1") === "SQLite format 3";
  } finally {
    closeSync(fd);
  }
}

function rejected(): StatsError {
  return new StatsError(
    "STATS_KEY_REJECTED",
    "The passphrase does not open this database: it is another one, or the file is damaged; it was not changed.",
  );
}

function errorOf(error: unknown): StatsError {
  const code = codeOf(error);
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new StatsError("STATS_MISSING", "There is no database at this path: name the core's agent database.");
  }
  if (code === "EISDIR") return new StatsError("STATS_IS_A_FOLDER", "The path leads to a folder: name a file in it.");
  if (code.startsWith("SQLITE_NOTADB")) return rejected();
  return statsErrorOf(error);
}

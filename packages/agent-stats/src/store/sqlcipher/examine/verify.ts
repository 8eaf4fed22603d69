import { StatsError } from "../../errors.ts";
import { codeOf, type SqliteHandle } from "../../sqlite/handle.ts";
import { assertKnownSchema, schemaVersion } from "../../sqlite/schema.ts";
import { copiesAside } from "../aside.ts";
import { type Driver, type DriverName, loadDriver } from "../drivers.ts";
import { fileErrorOf } from "../folder.ts";
import { openPage, PAGE_BYTES, type PageKeys } from "../pages/cipher.ts";
import { type FileBytes, type Image, imageOf, keysThatFit, readFiles, sleep } from "../pages/image.ts";
import { areOfOneMoment } from "../pages/moment.ts";
import { statOf } from "../pages/outside.ts";
import { freePages, LOCK_PAGE } from "../pages/tree.ts";
import { type FileFindings, type Finding, finding } from "./findings.ts";
import { contentsOf, findingsInMeaning } from "./meaning.ts";
import { openSealed } from "./sealed-copy.ts";

export interface ExamineOptions {
  readonly file: string;
  /** As `PRAGMA key` takes it. */
  readonly keyLiteral: string;
  readonly driver: DriverName | undefined;
}

/** What is found is looked for this often, and believed when it was there every time: others may write meanwhile. */
const LOOKS = 3;
const BETWEEN_LOOKS_MS = 20;

/** Checks a file without changing a byte. See `verifyFile`. */
export function verify(options: ExamineOptions): FileFindings {
  const driver = loadDriver(options.driver);
  let last = attempt(() => look(driver, options));
  for (let looks = 1; looks < LOOKS && !(last.found?.ok ?? false); looks++) {
    sleep(BETWEEN_LOOKS_MS);
    const before = last.found;
    last = attempt(() => look(driver, options));
    if (before && last.found) last = { found: inBoth(before, last.found) };
  }
  if (last.found) return last.found;
  throw fileErrorOf(last.error);
}

type Attempt =
  | { readonly found: FileFindings; readonly error?: never }
  | { readonly found?: never; readonly error: unknown };

/** A disk that cannot be read for a moment makes all kinds of errors. */
function attempt(body: () => FileFindings): Attempt {
  try {
    return { found: body() };
  } catch (error) {
    return { error };
  }
}

function inBoth(before: FileFindings, now: FileFindings): FileFindings {
  const findings = now.findings.filter(({ code }) => before.findings.some((other) => other.code === code));
  return { ...now, findings, ok: findings.length === 0 };
}

function look(driver: Driver, { file, keyLiteral }: ExamineOptions): FileFindings {
  assertIsFile(file);
  const files = readFiles(file);
  const keys = keysThatFit(files, keyLiteral);
  if (keys === null) throw unreadable(files);
  const image = imageOf(files, files.wal.committed, keys);
  const inPages = [...findingsInPages(files, image), ...findingsInWal(files, keys)];
  const contents = inPages.some(({ code }) => HARMFUL.has(code)) ? null : contentsIn(driver, image);
  const findings = [...inPages, ...(contents?.findings ?? [])];
  return {
    ok: findings.length === 0,
    findings,
    pages: image.pageCount,
    walFrames: files.wal.committed.length,
    schemaVersion: contents?.schemaVersion ?? null,
    sessions: contents?.sessions ?? null,
    keys: contents?.keys ?? null,
    copiesAside: copiesAside(file).length,
  };
}

/** After these SQLite is not asked: it could only say the same. */
const HARMFUL: ReadonlySet<string> = new Set([
  "page-damaged",
  "pages-missing",
  "file-emptied",
  "wal-of-another-moment",
]);

/** @throws StatsError when there is no file to examine */
export function assertIsFile(file: string): void {
  const stat = statOf(file);
  if (stat === null) {
    throw new StatsError("STATS_MISSING", "There are no statistics at this path: name the file that the app writes.");
  }
  if (!stat.isFile()) throw new StatsError("STATS_IS_A_FOLDER", "The path leads to a folder: name a file in it.");
}

/** What can be told of a file of which not one page authenticates with the key. */
export function unreadable({ db, wal }: FileBytes): StatsError {
  if (db?.length === 0 && wal.committed.length === 0) {
    return new StatsError(
      "STATS_EMPTY_FILE",
      "The file is empty: another program emptied or made it; restore it, or remove it to begin anew.",
    );
  }
  if (db?.subarray(0, 15).toString("latin1") === "SQLite format 3") {
    return new StatsError(
      "STATS_NOT_ENCRYPTED",
      "The file is a SQLite database without encryption: name another file; this one was not changed.",
    );
  }
  if (db && db.length % PAGE_BYTES !== 0 && wal.committed.length === 0) {
    return new StatsError(
      "STATS_NOT_A_DATABASE",
      "The file is of another kind, or was cut off: name another file, or move this one aside; it was not changed.",
    );
  }
  return new StatsError(
    "STATS_KEY_REJECTED",
    "The key opens not one page of this file: it is another key, or the file is damaged or of another kind; it was not changed.",
  );
}

function findingsInPages({ db, wal }: FileBytes, image: Image): Finding[] {
  if (db?.length === 0 && wal.committed.length > 0) return [finding("file-emptied", wal.committed.length)];
  const free = freePages(image).pages;
  const counts = { "page-damaged": 0, "free-page-damaged": 0, "pages-missing": 0 };
  const shadowed = new Set(wal.committed.map(({ page }) => page));
  for (let number = 1; number <= image.pageCount; number++) {
    if (number === LOCK_PAGE || image.page(number) !== null) continue;
    const isMissing = number * PAGE_BYTES > (db?.length ?? 0) && !shadowed.has(number);
    if (isMissing) counts["pages-missing"] += 1;
    else if (!free.has(number)) counts["page-damaged"] += 1;
    // A page that was never written to: it was free before the first transaction that made the file longer was over.
    else if (!image.isBlank(number)) counts["free-page-damaged"] += 1;
  }
  return Object.entries(counts).flatMap(([code, count]) =>
    count > 0 ? [finding(code as keyof typeof counts, count)] : [],
  );
}

function findingsInWal(files: FileBytes, keys: PageKeys): Finding[] {
  const { wal, index } = files;
  const damaged = wal.committed.filter(({ page, bytes }) => openPage(bytes, page, keys) === null).length;
  if (damaged > 0) return [finding("wal-damaged", damaged)];
  if (!areOfOneMoment(files, keys)) return [finding("wal-of-another-moment", files.wal.committed.length)];
  const intact = wal.committed.length;
  if (index && index.salts === wal.salts) {
    // A commit is on the disk before the index tells of it, so that it knows what must be there, and what need not.
    return index.frames > intact ? [finding("wal-damaged", index.frames - intact)] : [];
  }
  if (index && wal.salts === "" && index.frames > index.inFile) {
    return [finding("wal-missing", index.frames - index.inFile, false)];
  }
  if (!wal.isBroken) return [];
  const commits = wal.beyond.filter(({ commit, page, bytes }) => commit > 0 && openPage(bytes, page, keys) !== null);
  // Before a save is written the one before it is on the disk: only the last can have been cut off by a power cut.
  return [
    commits.length > 1 ? finding("wal-damaged", wal.beyond.length) : finding("wal-cut-off", wal.beyond.length, false),
  ];
}

interface Checked {
  readonly findings: readonly Finding[];
  readonly schemaVersion: number | null;
  readonly sessions: number | null;
  readonly keys: number | null;
}

function contentsIn(driver: Driver, image: Image): Checked {
  let handle: SqliteHandle | null = null;
  try {
    handle = openSealed(driver, image);
    const faults = handle.prepare("PRAGMA integrity_check").all([]) as { integrity_check: string }[];
    const real = faults.filter(({ integrity_check: text }) => text !== "ok").length;
    if (real > 0) return { ...UNKNOWN, findings: [finding("structure", real)] };
    const version = schemaVersion(handle, "main");
    assertKnownSchema(version);
    if (version === 0) {
      throw new StatsError("STATS_MISSING", "There are no statistics in this file: name the file that the app writes.");
    }
    return { findings: findingsInMeaning(handle), schemaVersion: version, ...contentsOf(handle) };
  } catch (error) {
    if (!/^SQLITE_(CORRUPT|NOTADB|ERROR)/.test(codeOf(error))) throw error;
    // A table that is missing is somebody's doing; it takes no damage.
    return { ...UNKNOWN, findings: [finding("structure", 1, !codeOf(error).startsWith("SQLITE_ERROR"))] };
  } finally {
    handle?.close();
  }
}

const UNKNOWN = { schemaVersion: null, sessions: null, keys: null };

import { Worker } from "node:worker_threads";
import { assertOptions } from "../../../record/given.ts";
import { StatsError } from "../../errors.ts";
import { moveAsideNow } from "../damaged.ts";
import type { DriverName } from "../drivers.ts";
import { fileErrorOf } from "../folder.ts";
import { assertPath, fileGiven } from "../given.ts";
import { keyLiteral, type StatsKey } from "../key.ts";
import type { FileFindings, Finding, FindingCode, Salvaged } from "./findings.ts";
import { salvage } from "./salvage.ts";
import { type ExamineOptions, verify } from "./verify.ts";
import type { Outcome, Task } from "./worker.ts";

export type { FileFindings, Finding, FindingCode, Salvaged };

export interface ExamineFileOptions {
  /** The path of the database. */
  readonly file: string;
  readonly key: StatsKey;
  /** Default: the first of the known drivers that is installed and can work on this Node.js. */
  readonly driver?: DriverName;
  /** `worker`: the host's thread does not wait. `same`: no second thread, for tools. Default: `worker`. */
  readonly thread?: "worker" | "same";
}

/**
 * Checks a database and its WAL, and says what it found, without changing a byte of any file: every page's HMAC, the
 * WAL's checksums, SQLite's own check of tables and indices, and whether the numbers can be true of each other. Others
 * may have the file open and write to it meanwhile. The file is read by another process, so that no lock of this one is
 * freed, and what SQLite is asked is asked of a private copy, which is encrypted with a key that nobody is told.
 *
 * What it cannot see: an intact file of an earlier moment, or a WAL that is missing without a trace.
 *
 * @throws StatsError when the file cannot be examined at all: `STATS_MISSING`, `STATS_KEY_INVALID`,
 * `STATS_KEY_REJECTED` (not one page authenticates), `STATS_NOT_ENCRYPTED`, `STATS_NOT_A_DATABASE`, `STATS_EMPTY_FILE`,
 * `STATS_NEWER_SCHEMA` (every page is as it was written), `STATS_BUSY`, `STATS_STORE_FAILED` (the disk does not read)
 * @throws TypeError where `file` is no path
 */
export async function verifyFile(options: ExamineFileOptions): Promise<FileFindings> {
  const task = optionsOf(options);
  return options.thread === "same"
    ? here(() => verify(task))
    : inWorker<FileFindings>({ what: "verify", options: task });
}

export interface SalvageFileOptions extends Omit<ExamineFileOptions, "file"> {
  /** The damaged database. It is not changed. */
  readonly from: string;
  /** Where the new one is made, with the same key. Nothing must be there. */
  readonly to: string;
}

/**
 * Reads what still authenticates of a damaged database and its WAL into a new file, and says what was lost. The new file
 * has its name only when it is whole. No number in it is more than what was saved: where something is missing, sums are
 * lower bounds, and the answer says so. Sessions that were open are over in it; who was deleted stays deleted.
 *
 * @throws StatsError `STATS_FILE_EXISTS`; `STATS_DAMAGED` when too little can be read; `STATS_KEY_REJECTED` when not one
 * page authenticates; `STATS_NEWER_SCHEMA`, `STATS_MISSING`, and others of opening and creating
 */
export async function salvageFile(given: SalvageFileOptions): Promise<Salvaged> {
  assertOptions(given);
  const { from, to, ...options } = given;
  assertPath(to);
  const task = { ...optionsOf({ ...options, file: from }), to };
  return options.thread === "same" ? here(() => salvage(task)) : inWorker<Salvaged>({ what: "salvage", options: task });
}

/**
 * Gives a file and its WAL another name beside, so that the next start begins anew: the word of somebody who has decided
 * it, whatever the file is. Not a byte of it is changed, nothing is overwritten or deleted. Whoever has it open notices
 * at the next save. A user who is deleted later is forgotten in such copies too: they are then rewritten, as far as the
 * key of the store opens them.
 *
 * @returns the new path
 * @throws StatsError `STATS_MISSING`, `STATS_IS_A_FOLDER`, `STATS_READ_ONLY`, `STATS_BUSY`
 */
export async function moveAside(options: Omit<ExamineFileOptions, "key" | "thread">): Promise<string> {
  const { file, driver } = fileGiven(options);
  return moveAsideNow(file, driver);
}

function optionsOf(options: ExamineFileOptions): ExamineOptions {
  return { ...fileGiven(options), keyLiteral: keyLiteral(options.key) };
}

function here<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw fileErrorOf(error);
  }
}

/** Does the task in a thread of its own, which ends with it. */
async function inWorker<T>(task: Task): Promise<T> {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { execArgv: [] });
  worker.postMessage(task);
  try {
    const outcome = await new Promise<Outcome>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("the thread ended")));
    });
    if (outcome.ok) return outcome.value as T;
    throw new StatsError(outcome.code, outcome.message, { cause: outcome.cause });
  } catch (error) {
    if (error instanceof StatsError) throw error;
    const cause = { code: "EXIT" };
    throw new StatsError("STATS_STORE_FAILED", "The thread that examined the file ended: try again.", { cause });
  } finally {
    await worker.terminate();
  }
}

import { StatsError } from "../errors.ts";
import { answerOf, callsBy } from "../methods.ts";
import { SqliteCalls } from "../sqlite/calls.ts";
import { codeOf, type SqliteHandle } from "../sqlite/handle.ts";
import type { Clearer, Erased, StoreCalls, Totals } from "../store.ts";
import { copiesAside } from "./aside.ts";
import { moveAsideIfDamaged } from "./damaged.ts";
import { type DriverName, loadDriver } from "./drivers.ts";
import { type FileOptions, openFile } from "./file.ts";
import { forgetInCopies, rememberToForget } from "./forget-copies.ts";
import { stampOf } from "./pages/stamp.ts";

export interface CallsOptions extends FileOptions {
  readonly driver: DriverName | undefined;
  /** What becomes of a file that is proven to be damaged. */
  readonly ifDamaged: "refuse" | "move-aside";
}

interface FileCalls {
  /** Long answers, part by part. */
  readonly sqlite: Pick<SqliteCalls, "inParts">;
  readonly calls: StoreCalls;
}

/** The calls on one file: SQLite's own, and with them what concerns damage and the copies that were moved aside. */
export function fileCalls(options: CallsOptions): FileCalls {
  if (options.mode === "read") return readingCalls(options);
  let handle: SqliteHandle | null = null;
  const sqlite = new SqliteCalls(() => {
    const database = openFile(loadDriver(options.driver), options);
    handle = database.handle;
    return database;
  });
  const call = movingAside(sqlite, options);
  /** An erasure is over when it has reached the copies too. */
  const withCopies = (erased: Erased): Erased =>
    erased === "physically" && handle && !forgetInCopies(handle, options) ? "pending" : erased;
  const calls = {
    ...callsBy<StoreCalls>(call),
    deleteUser(userId: string, totals: Totals, by: Clearer) {
      if (copiesAside(options.file).length > 0) {
        // In this order: a crash between the two leaves a copy without the user, never one that nobody looks at again.
        call("deletedAmong", [[], 0]);
        if (handle) rememberToForget(handle, userId);
      }
      const deleted = call("deleteUser", [userId, totals, by]) as ReturnType<StoreCalls["deleteUser"]>;
      return { ...deleted, erased: withCopies(deleted.erased) };
    },
    erase: () => withCopies(call("erase", []) as Erased),
  };
  return { sqlite, calls };
}

/** Where only a moment of the file is open, each call looks whether others have written since. */
function readingCalls(options: CallsOptions): FileCalls {
  let ofMoment: string | null = null;
  const sqlite = new SqliteCalls(() => {
    const database = openFile(loadDriver(options.driver), options);
    ofMoment = database.ofMoment;
    return database;
  });
  const now = () => {
    if (ofMoment !== null && ofMoment !== stampOf(options.file)) sqlite.close();
    return sqlite;
  };
  const calls = callsBy<StoreCalls>((method, args) => answerOf(now())(method, args));
  return { sqlite: { inParts: (method, args, put) => now().inParts(method, args, put) }, calls };
}

/** Any call; where a file is proven to be damaged and the host said so, the file makes room for the next call's. */
function movingAside(sqlite: SqliteCalls, options: CallsOptions): ReturnType<typeof answerOf> {
  const answer = answerOf(sqlite);
  if (options.ifDamaged === "refuse") return answer;
  const isMoved = moveAsideIfDamaged(options);
  return (method, args) => {
    try {
      return answer(method, args);
    } catch (error) {
      if (!isMoved(codeOf(error))) throw error;
      throw new StatsError(
        "STATS_MOVED_ASIDE",
        "The file was damaged and was moved aside, under a new name beside: a new one is begun, counts in memory are kept.",
      );
    }
  };
}

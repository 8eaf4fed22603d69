import { DRIVERS } from "../../oracle/drivers.ts";
import type { CALLS, ERRORS, FILES } from "./control.ts";
import { type Case, PHASES } from "./host.ts";

/** Which calls are made on which files. */
const CALLS_ON: Readonly<Record<keyof typeof CALLS, readonly (keyof typeof FILES)[]>> = {
  open: ["db", "wal", "index", "draft", "lock", "folder"],
  read: ["db", "wal", "draft"],
  write: ["db", "wal", "draft", "index"],
  sync: ["db", "wal", "draft", "folder"],
  truncate: ["db", "wal", "draft", "index"],
  unlink: ["wal", "index", "draft", "lock"],
  link: ["draft"],
};

/** With which error each may fail. A read or write may also do half, or be interrupted: that is no error at all. */
const ERRORS_OF: Readonly<Record<keyof typeof CALLS, readonly (keyof typeof ERRORS)[]>> = {
  open: ["EIO", "ENOSPC"],
  read: ["EIO", "half", "EINTR"],
  write: ["EIO", "ENOSPC", "half", "EINTR"],
  sync: ["EIO", "ENOSPC"],
  truncate: ["EIO", "ENOSPC"],
  unlink: ["EIO"],
  link: ["EIO", "ENOSPC"],
};

/** Until it is healed. */
const FOR_GOOD = 1_000_000_000;

/** Every kind of fault in every phase; which call it begins with is told by whoever tries it. */
export function combinations(isControl: boolean): Case[] {
  return DRIVERS.flatMap((driver) => combinationsOf(isControl).map((each) => ({ ...each, driver })));
}

function combinationsOf(isControl: boolean): Omit<Case, "driver">[] {
  const found: Omit<Case, "driver">[] = [];
  for (const phase of isControl ? (["count"] as const) : PHASES) {
    for (const thread of ["same", "worker"] as const) {
      for (const call of Object.keys(CALLS_ON) as (keyof typeof CALLS)[]) {
        for (const file of CALLS_ON[call]) {
          for (const error of ERRORS_OF[call]) {
            // What is interrupted for good never ends, and what always does half is no fault.
            const isHarmless = error === "EINTR" || error === "half";
            for (const many of isHarmless ? [1, 3] : isControl ? [FOR_GOOD] : [1, 2, FOR_GOOD]) {
              if (isControl && (isHarmless || call !== "write")) continue;
              found.push({ phase, thread, fault: { call, file, error, first: 1, many } });
            }
          }
        }
      }
    }
  }
  return found;
}

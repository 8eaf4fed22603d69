import { DRIVERS } from "../../oracle/drivers.ts";
import { randomOf } from "../../random.ts";
import { shuffled } from "../../replay/chance.ts";
import type { CALLS, ERRORS, Fault, FILES } from "./control.ts";
import { type Case, PHASES } from "./host.ts";

/** A fault in a phase; which call it begins with is told by whoever tries it. */
export type Kind = Pick<Case, "phase" | "fault">;

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

/** What a program has to bear without noticing, and what is not counted as a fault. */
export function isHarmless({ error }: Pick<Fault, "error">): boolean {
  return error === "EINTR" || error === "half";
}

/** Every fault in every phase, in an order by no chance in which neighbours are unlike. */
export const KINDS: readonly Kind[] = shuffled(PHASES.flatMap(kindsOf), randomOf(1));

/** The writes that fail for good while a host counts: without a mechanism these lose something. */
export const CONTROL_KINDS: readonly Kind[] = KINDS.filter(
  ({ phase, fault }) => phase === "count" && fault.call === "write" && fault.many === FOR_GOOD,
);

function kindsOf(phase: Case["phase"]): Kind[] {
  return (Object.keys(CALLS_ON) as (keyof typeof CALLS)[]).flatMap((call) =>
    CALLS_ON[call].flatMap((file) =>
      ERRORS_OF[call].flatMap((error) =>
        // What is interrupted for good never ends, and what always does half is no fault.
        (isHarmless({ error }) ? [1, 3] : [1, 2, FOR_GOOD]).map((many) => {
          return { phase, fault: { call, file, error, first: 1, many } };
        }),
      ),
    ),
  );
}

/** The threads and drivers with which each kind is tried, one in each round. */
const HOSTS = (["same", "worker"] as const).flatMap((thread) => DRIVERS.map((driver) => ({ thread, driver })));

/** How many cases there are: afterwards they come again. */
export const CASES = KINDS.length * HOSTS.length;

/**
 * The case of a unit's seed: of seeds that follow one another, as many as there are kinds have each kind once, and those
 * after them have it with another thread or driver.
 */
export function caseOf(seed: number, kinds: readonly Kind[]): Case {
  const [round, index] = [Math.floor(seed / kinds.length), seed % kinds.length];
  // Neighbours have unlike hosts too.
  return { ...(kinds[index] as Kind), ...(HOSTS[(round + index) % HOSTS.length] as (typeof HOSTS)[number]) };
}

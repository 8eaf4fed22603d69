import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DriverName } from "agent-stats/sqlcipher";
import type { Sabotage } from "../../child/spec.ts";
import { openWithKey } from "../../oracle/drivers.ts";
import { keptIn } from "../../oracle/kept.ts";
import { ledgerPath } from "../../oracle/life.ts";
import { type Random, randomOf } from "../../random.ts";
import { type Host, startHost } from "./host.ts";
import { type Finding, judgePair } from "./judge.ts";

/**
 * How a session comes to be taken for dead, or its commits to be taken for failed.
 *
 * - `lock held`: it is frozen, and its lock says that it lives: nobody may fold it.
 * - `lock lost`: it is frozen, and its lock file is removed meanwhile.
 * - `no lock`: it could take no lock, as its host's handle cannot open a second file.
 * - `commits`: what it does is done, and reported to it as failed.
 */
export type StaleKind = "lock held" | "lock lost" | "no lock" | "commits";

export interface PairOf {
  readonly seed: number;
  /** What comes to it, one after another; what did not come to pass in time is tried again. */
  readonly kinds: readonly StaleKind[];
  readonly driver: DriverName;
  readonly folder: string;
  readonly sabotage?: Sabotage;
}

export interface UnitSeen {
  readonly kind: StaleKind;
  readonly findings: readonly Finding[];
  /** Whether the fault came to pass: it was folded while it was frozen, or a commit that was done was reported as failed. */
  readonly isMade: boolean;
  /** Whether it was folded by the other one while it was frozen. */
  readonly wasFolded: boolean;
  readonly failedCommits: number;
}

/** Servers that only the one counts, and only the other; and one that is reset. */
const STALE_SERVERS = [1, 2, 3];
const RESET_SERVER = 3;
const OTHER_SERVERS = [51, 52];
const USERS = [1, 2];
const DOOMED_FROM = 100;

const COUNTING_MS = [5, 90] as const;
/** Longer than the other one takes to open, shorter than it waits for a lock that a frozen transaction holds. */
const FROZEN_MS = 3_000;
/** Where it was frozen within a transaction, the other one can only wait for it: then this is long enough. */
const WAITED_FOR_MS = 150;
/** Who writes and is not frozen has done so by then. */
const LOOKS_FOR_LOCK = 8;
const LOOKS_EVERY_MS = 20;
/** Where the disk is slow, two of five are frozen within a transaction; so many in a row never are. */
const MOST_TRIES = 30;

/** Two hosts on one file: to the one something happens, and the other goes on; after each time every sum must be exact. */
export async function runPair(pair: PairOf, unit: (seen: UnitSeen) => void): Promise<void> {
  const { seed, kinds, driver, folder } = pair;
  const { sabotage = kinds.includes("no lock") ? "no locks" : null } = pair;
  const random = randomOf(seed);
  const own = mkdtempSync(join(folder, "pair-"));
  const file = join(own, "stats.db");
  const place = kinds.includes("commits") || sabotage !== null ? "host" : "own";
  const spec = (name: string) =>
    ({ file, driver, place, seed: random.whole(0, 2 ** 31), ledger: ledgerPath(own, name) }) as const;
  const stale = await startHost({ ...spec("stale"), sabotage }, folder);
  const other = await startHost({ ...spec("other"), sabotage: null }, folder);
  let doomed = DOOMED_FROM;
  try {
    for (const kind of kinds) {
      let isMade = false;
      for (let tries = 0; !isMade; tries++) {
        if (tries === MOST_TRIES) throw new Error(`${kind} did not come to pass in ${tries} tries`);
        const about = { file, stale, other, random, kind, doomed: doomed++ };
        const seen = kind === "commits" ? await failCommits(about) : await freeze(about);
        unit(seen);
        isMade = seen.isMade;
      }
    }
  } finally {
    await stale.end();
    await other.end();
  }
}

interface Unit {
  readonly file: string;
  readonly stale: Host;
  readonly other: Host;
  readonly random: Random;
  readonly kind: StaleKind;
  /** A user whom the stale one counts, and who may be deleted meanwhile. */
  readonly doomed: number;
}

async function freeze({ file, stale, other, random, kind, doomed }: Unit): Promise<UnitSeen> {
  await stale.tell({ do: "count", users: [...USERS, doomed], servers: STALE_SERVERS });
  await other.tell({ do: "count", users: USERS, servers: OTHER_SERVERS });
  await sleep(random.whole(...COUNTING_MS));
  stale.freeze();
  const session = stale.session();
  if (kind === "lock lost") rmSync(`${file}-session-${session}`, { force: true });
  const deletes = random.percent(50);
  const meanwhile = (async () => {
    await other.tell({ do: "reopen" });
    await other.tell({ do: "count", users: USERS, servers: OTHER_SERVERS });
    if (deletes) await other.tell({ do: "delete", user: doomed });
  })();
  const frozenMs = (await isLocked(file)) ? WAITED_FOR_MS : FROZEN_MS;
  const isDone = await Promise.race([meanwhile.then(() => true), sleep(frozenMs, false)]);
  const wasFolded = isDone && isFolded(file, session);
  stale.thaw();
  await meanwhile;
  await sleep(random.whole(...COUNTING_MS));
  await Promise.all([stale.tell({ do: "settle" }), other.tell({ do: "settle" })]);
  const findings = [...judgePair(keptIn(file), [stale, other])];
  if (kind === "lock held" && wasFolded) {
    findings.push({ wrong: "foldedAlive", what: "a session was folded that holds its lock" });
  }
  return { kind, findings, isMade: kind === "lock held" ? isDone : wasFolded, wasFolded, failedCommits: 0 };
}

const FAILING_PERCENT = [20, 50, 80];

async function failCommits({ file, stale, other, random, kind, doomed }: Unit): Promise<UnitSeen> {
  const before = stale.failedCommits();
  await stale.tell({ do: "fail commits", percent: random.pick(FAILING_PERCENT) });
  await stale.tell({ do: "count", users: [...USERS, doomed], servers: STALE_SERVERS });
  await sleep(random.whole(...COUNTING_MS));
  const [deletes, resets, reopens] = [random.percent(30), random.percent(30), random.percent(30)];
  await stale.tell({ do: "settle" });
  if (deletes) await stale.tell({ do: "delete", user: doomed });
  if (resets) await stale.tell({ do: "reset", server: RESET_SERVER });
  if (reopens) await stale.tell({ do: "reopen" });
  await stale.tell({ do: "count", users: USERS, servers: STALE_SERVERS });
  await sleep(random.whole(...COUNTING_MS));
  await stale.tell({ do: "settle" });
  await stale.tell({ do: "fail commits", percent: 0 });
  await other.tell({ do: "settle" });
  const findings = judgePair(keptIn(file), [stale, other]);
  const failedCommits = stale.failedCommits() - before;
  return { kind, findings, isMade: failedCommits > 0, wasFolded: false, failedCommits };
}

/** Whether somebody holds the lock to write, and does not let go of it. */
async function isLocked(file: string): Promise<boolean> {
  const handle = openWithKey(file);
  try {
    handle.exec("PRAGMA busy_timeout = 0");
    for (let looks = 0; looks < LOOKS_FOR_LOCK; looks++) {
      try {
        handle.exec("BEGIN IMMEDIATE; ROLLBACK");
        return false;
      } catch {
        await sleep(LOOKS_EVERY_MS);
      }
    }
    return true;
  } finally {
    handle.close();
  }
}

function isFolded(file: string, session: number): boolean {
  const handle = openWithKey(file);
  try {
    handle.exec("PRAGMA busy_timeout = 10000");
    const sql = "SELECT 1 FROM agent_stats_session WHERE session_id = ? AND folded = 1";
    return handle.prepare(sql).all([session]).length > 0;
  } finally {
    handle.close();
  }
}

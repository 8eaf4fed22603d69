import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DriverName } from "agent-stats/sqlcipher";
import type { Sabotage } from "../../child/spec.ts";
import { keptIn } from "../../oracle/kept.ts";
import { ledgerPath } from "../../oracle/life.ts";
import { findWorld, type Sums, serverIn, userIn, type Wrong } from "../../oracle/worlds.ts";
import { type Random, randomOf } from "../../random.ts";
import { type Host, startHost } from "./host.ts";

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
  readonly kind: StaleKind;
  readonly driver: DriverName;
  readonly units: number;
  readonly folder: string;
  readonly sabotage?: Sabotage;
}

export interface UnitSeen {
  readonly findings: readonly { readonly wrong: Wrong | "foldedAlive" | "broughtBack"; readonly what: string }[];
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

/** Two hosts on one file: to the one something happens, and the other goes on; after each time every sum must be exact. */
export async function runPair(pair: PairOf, unit: (seen: UnitSeen) => void): Promise<void> {
  const { seed, kind, driver, units, folder, sabotage = kind === "no lock" ? "no locks" : null } = pair;
  const random = randomOf(seed);
  const own = mkdtempSync(join(folder, "pair-"));
  const file = join(own, "stats.db");
  const place = kind === "no lock" || kind === "commits" || sabotage !== null ? "host" : "own";
  const spec = (name: string) =>
    ({ file, driver, place, seed: random.whole(0, 2 ** 31), ledger: ledgerPath(own, name) }) as const;
  const stale = await startHost({ ...spec("stale"), sabotage }, folder);
  const other = await startHost({ ...spec("other"), sabotage: null }, folder);
  try {
    for (let n = 0; n < units; n++) {
      const about = { file, stale, other, random, kind, doomed: DOOMED_FROM + n };
      unit(kind === "commits" ? await failCommits(about) : await freeze(about));
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
  /** A user whom the stale one counts, and who is deleted meanwhile. */
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
  // Where it was frozen within a transaction, the other one can only wait for it.
  const isDone = await Promise.race([meanwhile.then(() => true), sleep(FROZEN_MS, false)]);
  const wasFolded = isDone && isFolded(file, session);
  stale.thaw();
  await meanwhile;
  await sleep(random.whole(...COUNTING_MS));
  await Promise.all([stale.tell({ do: "settle" }), other.tell({ do: "settle" })]);
  const findings = [...judge(file, stale, other, deletes ? doomed : null)];
  if (kind === "lock held" && wasFolded)
    findings.push({ wrong: "foldedAlive", what: "a session was folded that holds its lock" });
  return { findings, wasFolded, failedCommits: 0 };
}

const FAILING_PERCENT = [20, 50, 80];

async function failCommits({ file, stale, other, random, doomed }: Unit): Promise<UnitSeen> {
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
  const findings = judge(file, stale, other, deletes ? doomed : null);
  return { findings, wasFolded: false, failedCommits: stale.failedCommits() - before };
}

function isFolded(file: string, session: number): boolean {
  return keptIn(file).sessions.some((each) => each.session === session && each.folded);
}

/** Everything is acknowledged, and nobody counts: there is one world only. */
function judge(file: string, stale: Host, other: Host, deleted: number | null): UnitSeen["findings"][number][] {
  const { sums } = keptIn(file);
  const findings: UnitSeen["findings"][number][] = [];
  for (const [host, servers] of [
    [stale, STALE_SERVERS],
    [other, OTHER_SERVERS],
  ] as const) {
    const entries = host.entries().filter(({ user }) => !(user >= DOOMED_FROM && user < 1e6));
    const mine = new Map([...sums].filter(([key]) => servers.includes(serverIn(key)) && userIn(key) < DOOMED_FROM));
    const found = findWorld(entries, NOTHING, mine);
    if (!found.ok) findings.push({ wrong: found.wrong, what: found.what });
  }
  if (deleted !== null && [...sums.keys()].some((key) => userIn(key) === deleted)) {
    findings.push({ wrong: "broughtBack", what: `user ${deleted} was deleted and has counts` });
  }
  return findings;
}

const NOTHING: Sums = new Map();

import { PROBLEMS } from "../../child/problems.ts";
import type { Kept } from "../../oracle/kept.ts";
import { type Entry, WHAT } from "../../oracle/ledger.ts";
import { findWorld, type Sums, userIn, type Wrong } from "../../oracle/worlds.ts";

export const WRONGS = [
  "corrupt",
  "acknowledgedLost",
  "doubled",
  "torn",
  "broughtBack",
  "foldedAlive",
  "wronglyTold",
] as const;

export interface Finding {
  readonly wrong: (typeof WRONGS)[number] | Wrong;
  readonly what: string;
}

/** What the judge asks of a host. */
export interface Lived {
  entries(): readonly Entry[];
}

/** Everything that either counted is acknowledged, and nobody counts: there is one world only, with all users in it. */
export function judgePair(kept: Kept, hosts: readonly Lived[]): Finding[] {
  const findings: Finding[] = kept.damage.map((what) => ({ wrong: "corrupt", what }));
  if (kept.isUnreadable) return findings;
  for (const key of kept.foldedTwice) {
    findings.push({ wrong: "doubled", what: `the past of ${key} is not what the folded sessions counted` });
  }
  // What one of them deletes, the other one counted.
  const entries = hosts.flatMap((host) => host.entries()).sort((a, b) => a.at - b.at);
  const found = findWorld(entries, NOTHING, kept.sums);
  if (!found.ok) findings.push({ wrong: found.wrong, what: found.what });
  const deleted = new Set(entries.filter(({ what }) => what === WHAT.deleted).map(({ user }) => user));
  for (const user of new Set([...kept.sums.keys()].map(userIn))) {
    if (deleted.has(user)) findings.push({ wrong: "broughtBack", what: `user ${user} was deleted and has counts` });
  }
  for (const { what, amount } of entries) {
    if (what !== WHAT.problem && what !== WHAT.rejected) continue;
    const how = what === WHAT.problem ? "was told" : "was answered";
    findings.push({ wrong: "wronglyTold", what: `the host ${how}: ${PROBLEMS[amount] ?? "an error of another kind"}` });
  }
  return findings;
}

const NOTHING: Sums = new Map();

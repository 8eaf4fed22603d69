import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { openAgentStats } from "agent-stats";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { removeSearched } from "../../oracle/canary.ts";
import { DRIVERS } from "../../oracle/drivers.ts";
import { COUNTERS, KEY, protocol, serverOf, userOf } from "../../oracle/names.ts";
import { backToSchema1 } from "../../oracle/schema-1.ts";
import type { Entry } from "../../oracle/story.ts";
import { servePart } from "../../parts.ts";
import { seedOfUnit } from "../../random.ts";
import type { Failure } from "../../trial.ts";
import { CASES, CONTROL_KINDS, caseOf, isHarmless, KINDS } from "./cases.ts";
import { FaultControl } from "./control.ts";
import { type Case, type Place, tryCase, type Without } from "./host.ts";

export interface PartJob {
  readonly seed: number;
  /** How many faults all parts together are to make. */
  readonly count: number;
  /** Which of how many parts this is: the cases are dealt to them in turn. */
  readonly part: number;
  readonly parts: number;
  /** Where everything happens. The shim watches `data` in it, and is told by `control`. */
  readonly folder: string;
  readonly without?: Without;
}

export interface PartResult {
  /** Faults: calls that failed. Where one was interrupted, or did half, it is no fault. */
  readonly ran: number;
  readonly harmless: number;
  /** Which cases were walked until there was no such call any more, as their units; and how many were begun. */
  readonly walked: readonly number[];
  readonly begun: number;
  readonly refused: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly failures: readonly Failure[];
}

/** More calls of a kind than any life of a host has makes: one without an end. */
const MOST_CALLS = 200;
const MOST_FAILURES = 20;

servePart<PartJob, PartResult>(async (job, progress) => {
  const { seed, count, part, parts, folder, without } = job;
  const place: Place = {
    folder: join(folder, "data"),
    bases: join(folder, "bases"),
    control: new FaultControl(join(folder, "control")),
  };
  const failures: Failure[] = [];
  const codes: Record<string, number> = {};
  const walked: number[] = [];
  let current = { seed, count: 1, about: "before the first fault" };
  const fail = (what: unknown) => {
    const { about, ...again } = current;
    failures.push({ ...again, what: `${about}: ${what}` });
  };
  process.on("uncaughtException", (error) => fail(`it reached the host: ${error}`));
  process.on("unhandledRejection", (error) => fail(`it reached the host: ${error}`));
  const before = await makeBases(place);
  const kinds = without === undefined ? KINDS : CONTROL_KINDS;
  const enough = Math.ceil((count * (part + 1)) / parts) - Math.ceil((count * part) / parts);
  let [ran, harmless, begun, refused, lost] = [0, 0, 0, 0, 0];
  for (let unit = part; unit < CASES && ran < enough; unit += parts) {
    const unitSeed = seedOfUnit(seed, unit);
    const { fault, ...rest } = caseOf(unitSeed, kinds);
    begun += 1;
    // To its end, or to where all that was asked for are of this one: so `--count` repeats the last of them.
    for (let first = 1; first <= count && ran < count; first++) {
      const each: Case = { ...rest, fault: { ...fault, first } };
      current = { seed: unitSeed, count: first, about: sentence(each) };
      const outcome = await tryCase(place, each, rest.phase === "create" ? [] : before, without);
      lost += outcome.lost;
      if (outcome.problem !== null) fail(outcome.problem);
      else if (!outcome.fired) walked.push(unit);
      if (!outcome.fired) break;
      if (isHarmless(fault)) harmless += 1;
      else ran += 1;
      if (outcome.codes.length > 0) refused += 1;
      for (const code of outcome.codes) codes[code] = (codes[code] ?? 0) + 1;
      if (ran % 20 === 0) progress(ran);
      if (first === MOST_CALLS) {
        fail("there is no end to such calls");
        break;
      }
    }
  }
  place.control.close();
  return { ran, harmless, walked, begun, refused, codes, lost, failures: failures.slice(0, MOST_FAILURES) };
});

function sentence({ phase, thread, driver, fault }: Case): string {
  const { call, file, error, first, many } = fault;
  const often = many === 1 ? "once" : many > 1_000 ? "until it heals" : `${many} times`;
  return `${phase} (thread ${thread}, ${driver}), ${call} of ${file} number ${first}: ${error} ${often}`;
}

/** A file of a killed session, with its WAL; and one of the first schema. */
async function makeBases({ folder, bases }: Place): Promise<Entry[]> {
  mkdirSync(bases);
  mkdirSync(folder);
  const file = join(folder, "stats.db");
  const open = () =>
    openAgentStats({
      protocols: [protocol],
      store: sqlcipherStore({ file, key: KEY, thread: "same" }),
      flushEvery: 3_600_000,
    });
  const story: Entry[] = [];
  for (const last of [false, true]) {
    const stats = await open();
    story.push(["start"]);
    for (const n of [1, 2, 3]) {
      story.push(["add", userOf(n), serverOf(n), COUNTERS[0], 100 * n]);
      stats.server(protocol, userOf(n), serverOf(n)).add(COUNTERS[0], 100 * n);
    }
    const id = last ? 2 : 1;
    story.push(["asked", id, "save"]);
    await stats.flush();
    story.push(["done", id]);
    // By another process: closing the file here would free the locks that are held on it.
    if (last) execFileSync("cp", [file, `${file}-wal`, bases], { env: { PATH: process.env.PATH } });
    await stats.close();
  }
  for (const part of ["", "-wal"]) copyFileSync(join(bases, `stats.db${part}`), join(bases, `open.db${part}`));
  for (const part of ["", "-wal"]) copyFileSync(join(bases, `stats.db${part}`), join(bases, `old.db${part}`));
  backToSchema1(join(bases, "old.db"), DRIVERS[0] as (typeof DRIVERS)[number]);
  removeSearched(folder);
  return story;
}

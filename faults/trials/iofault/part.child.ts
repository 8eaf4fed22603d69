import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openAgentStats } from "agent-stats";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { DRIVERS } from "../../oracle/drivers.ts";
import { COUNTERS, KEY, protocol, serverOf, userOf } from "../../oracle/names.ts";
import { backToSchema1 } from "../../oracle/schema-1.ts";
import type { Entry } from "../../oracle/story.ts";
import { servePart } from "../../parts.ts";
import { randomOf } from "../../random.ts";
import { shuffled } from "../../replay/chance.ts";
import { combinations } from "./cases.ts";
import { type Fault, FaultControl } from "./control.ts";
import { type Case, type Place, tryCase, type Without } from "./host.ts";

export interface PartJob {
  readonly seed: number;
  readonly count: number;
  /** Which of how many parts this is: each has its own combinations. */
  readonly part: number;
  readonly parts: number;
  /** Where everything happens. The shim watches `data` in it, and is told by `control`. */
  readonly folder: string;
  readonly without?: Without;
}

export interface PartResult {
  readonly ran: number;
  readonly combinations: number;
  readonly refused: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly failures: readonly { readonly seed: number; readonly what: string }[];
}

/** Should a call come without an end, the next combination is tried. */
const MOST_CALLS = 200;
const MOST_FAILURES = 20;

servePart<PartJob, PartResult>(async (job, progress) => {
  const { seed, count, part, parts, folder, without } = job;
  const place: Place = {
    folder: join(folder, "data"),
    bases: join(folder, "bases"),
    control: new FaultControl(join(folder, "control")),
  };
  const failures: { seed: number; what: string }[] = [];
  const codes: Record<string, number> = {};
  let current = "before the first fault";
  const fail = (what: unknown) => failures.push({ seed, what: `${current}: ${what}` });
  process.on("uncaughtException", (error) => fail(`it reached the host: ${error}`));
  process.on("unhandledRejection", (error) => fail(`it reached the host: ${error}`));
  const before = await makeBases(place);
  let [ran, tried, refused, lost] = [0, 0, 0, 0];
  const mine = shuffled(combinations(without !== undefined), randomOf(seed)).filter(
    (_, index) => index % parts === part,
  );
  for (const { fault, ...rest } of mine) {
    if (ran >= count) break;
    tried += 1;
    for (let first = 1; first <= MOST_CALLS && ran < count; first++) {
      const each: Case = { ...rest, fault: { ...fault, first } };
      current = sentence(each);
      const outcome = await tryCase(place, each, rest.phase === "create" ? [] : before, without);
      if (outcome.problem !== null) fail(outcome.problem);
      if (!outcome.fired) break;
      ran += 1;
      lost += outcome.lost;
      if (outcome.codes.length > 0) refused += 1;
      for (const code of outcome.codes) codes[code] = (codes[code] ?? 0) + 1;
      if (ran % 20 === 0) progress(ran);
    }
  }
  place.control.close();
  return { ran, combinations: tried, refused, codes, lost, failures: failures.slice(0, MOST_FAILURES) };
});

function sentence({ phase, thread, driver, fault }: Case): string {
  const { call, file, error, first, many } = fault as Fault;
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
  rmSync(folder, { recursive: true });
  return story;
}

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import { LEDGERS } from "../../oracle/canary.ts";
import { DRIVERS } from "../../oracle/drivers.ts";
import { acknowledged, admissible, type Entry, entriesOf } from "../../oracle/story.ts";
import { servePart } from "../../parts.ts";
import { type Random, randomOf, seedOfUnit } from "../../random.ts";
import { crash } from "../../replay/crash.ts";
import { Disk } from "../../replay/disk.ts";
import { digestOf, putImage } from "../../replay/image.ts";
import type { FileRecord } from "../../replay/log.ts";
import type { Failure } from "../../trial.ts";
import { erasedUsers, findUsers } from "./erased.ts";
import { type Expected, type Fault, judge } from "./judge.ts";
import { FILE, type Recording, type RecordingOrder, record } from "./recording.ts";

export interface PartJob extends Pick<RecordingOrder, "shim" | "synchronous"> {
  /** Absent: the file of its own and the host's handle in turn, as the unit's seed is even or odd. */
  readonly store?: RecordingOrder["store"];
  readonly seed: number;
  readonly folder: string;
  readonly states: number;
  /** How often the power is cut in each recording. Many cuts leave the same, which is judged once. */
  readonly cuts: number;
  /** A mechanism that is switched off when the record is replayed. */
  readonly without?: "folder sync" | "all syncs";
}

export interface PartResult {
  readonly ran: number;
  readonly recordings: number;
  readonly crashPoints: number;
  readonly faults: Readonly<Record<Fault, number>>;
  /** Of these, states after a deletion that was acknowledged: every page of every file was decrypted. */
  readonly searched: number;
  readonly failures: readonly Failure[];
}

/** Going on with a file takes longer than reading it. */
const GO_ON_PERCENT = 25;

servePart<PartJob, PartResult>(async (job, progress) => {
  const faults = { corrupt: 0, acknowledgedLost: 0, neverCounted: 0, halfDone: 0, notErased: 0 };
  const failures: Failure[] = [];
  let [ran, recordings, crashPoints, searched] = [0, 0, 0, 0];
  const scratch = join(job.folder, "scratch");
  mkdirSync(scratch);
  try {
    for (let unit = 0; ran < job.states; unit++) {
      const seed = seedOfUnit(job.seed, unit);
      const folder = join(job.folder, String(seed));
      mkdirSync(folder, { recursive: true });
      const store = job.store ?? (seed % 2 === 0 ? "own" : "host");
      // By its seed, so that the same seed repeats the same recording.
      const driver = DRIVERS[Math.floor(seed / 2) % DRIVERS.length] as DriverName;
      const recording = record({ ...job, store, driver, seed, folder });
      const points = new Set<number>();
      const attack = { without: job.without, cuts: job.cuts, store, driver, seed, scratch };
      let count = 0;
      for await (const { verdict, at, isSearched } of crashes(recording, attack)) {
        if (ran === job.states) break;
        ran += 1;
        count += 1;
        points.add(at);
        if (isSearched) searched += 1;
        if (verdict === null) continue;
        faults[verdict.fault] += 1;
        if (failures.length < 5)
          failures.push({ seed, count, what: `${verdict.fault} (crash at operation ${at}): ${verdict.what}` });
      }
      recordings += 1;
      crashPoints += points.size;
      progress(ran);
      rmSync(join(folder, LEDGERS), { recursive: true });
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return { ran, recordings, crashPoints, searched, faults, failures };
});

interface Attack {
  readonly without: PartJob["without"];
  readonly cuts: number;
  readonly store: RecordingOrder["store"];
  readonly driver: DriverName;
  readonly seed: number;
  readonly scratch: string;
}

/** Replays the record once, cuts the power at random moments, and judges what each cut left. No two are the same. */
async function* crashes({ before, told, records }: Recording, attack: Attack) {
  const { without, cuts: often, store, driver, seed, scratch } = attack;
  const disk = new Disk(before);
  const cuts = cutsPerRecord(records, often, seed);
  const entries: Entry[] = [...told];
  const judged = new Set<string>();
  const folder = join(scratch, "image");
  let expected: Expected | null = null;
  for (const [at, each] of records.entries()) {
    if (!isSwitchedOff(disk, each, without)) disk.apply(each);
    if (each.op === "mark") {
      entries.push(...entriesOf(each.text));
      expected = null;
    }
    for (const random of cuts.get(at) ?? []) {
      const image = crash(disk, random);
      const digest = `${digestOf(image)} ${entries.length}`;
      if (judged.has(digest)) continue;
      judged.add(digest);
      putImage(folder, image);
      // A host's own database is the host's to erase.
      const gone = store === "own" ? erasedUsers(entries) : [];
      const left = findUsers(join(folder, FILE), gone);
      expected ??= expectedAfter(entries);
      const goOn = random.percent(GO_ON_PERCENT);
      const verdict = left ?? (await judge(folder, expected, { host: store === "host", driver, goOn }));
      yield { at, verdict, isSearched: gone.length > 0 };
    }
  }
}

/** How the power is cut after each operation. Drawn from the seed alone: a failure is repeated without all others. */
function cutsPerRecord(records: readonly FileRecord[], often: number, seed: number): Map<number, Random[]> {
  const random = randomOf(seed);
  const cuts = new Map<number, Random[]>();
  for (let i = 0; i < often; i++) {
    const at = random.whole(0, records.length - 1);
    const all = cuts.get(at) ?? [];
    all.push(randomOf(random.whole(0, 2 ** 31)));
    cuts.set(at, all);
  }
  return cuts;
}

function isSwitchedOff(disk: Disk, record: FileRecord, without: PartJob["without"]): boolean {
  if (record.op !== "sync" || without === undefined) return false;
  return without === "all syncs" || disk.isFolder(record.fd);
}

function expectedAfter(entries: readonly Entry[]): Expected {
  return {
    states: admissible(entries),
    acknowledged: acknowledged(entries),
    entries: [...entries],
  };
}

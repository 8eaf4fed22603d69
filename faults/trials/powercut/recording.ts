import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DriverName } from "agent-stats/sqlcipher";
import { LEDGERS } from "../../oracle/canary.ts";
import type { Entry } from "../../oracle/story.ts";
import { openOutput, tailOf } from "../../outputs.ts";
import { type Random, randomOf } from "../../random.ts";
import { Disk, type Image } from "../../replay/disk.ts";
import { digestOf, imageOf } from "../../replay/image.ts";
import { type FileRecord, readLog } from "../../replay/log.ts";
import { shimmed } from "../../shim/shim.ts";
import { makeHostFile, makeOldFile } from "./first-file.ts";
import type { HostOrder } from "./host.child.ts";

export interface RecordingOrder {
  readonly seed: number;
  /** A folder for it alone. */
  readonly folder: string;
  readonly shim: string;
  readonly store: HostOrder["store"];
  readonly driver: DriverName;
  readonly synchronous: HostOrder["synchronous"];
}

export interface Recording {
  /** What was on the disk before it began. */
  readonly before: Image;
  /** What is known of that. */
  readonly told: readonly Entry[];
  readonly records: readonly FileRecord[];
}

export const FILE = "stats.db";

/** One to three processes, one after another, and everything that they did to their files. */
export function record(order: RecordingOrder): Recording {
  const random = randomOf(order.seed);
  const data = join(order.folder, "data");
  const ledgers = join(order.folder, LEDGERS);
  mkdirSync(data, { recursive: true });
  mkdirSync(ledgers, { recursive: true });
  const told = firstFile(join(data, FILE), order.store, random);
  const before = imageOf(data);
  const log = join(ledgers, "log");
  const processes = random.whole(1, 3);
  for (let i = 0; i < processes; i++) {
    const { folder, shim } = order;
    runHost(hostOrder(order, random, { data, ledgers, number: i }), { data, log, folder, shim });
  }
  const recording = { told, before, records: readLog(readFileSync(log)) };
  assertComplete(recording, imageOf(data));
  return recording;
}

/** A host has its database; a file of its own is made by the library, or was left by an earlier version of it. */
function firstFile(file: string, store: HostOrder["store"], random: Random): Entry[] {
  if (store === "host") return makeHostFile(file);
  return random.percent(25) ? makeOldFile(file, random.pick(["clean", "open"] as const)) : [];
}

function hostOrder(
  { store, driver, synchronous }: RecordingOrder,
  random: Random,
  { data, ledgers, number }: { data: string; ledgers: string; number: number },
): HostOrder {
  return {
    seed: random.whole(0, 2 ** 31),
    file: join(data, FILE),
    marks: join(ledgers, "marks"),
    firstId: (number + 1) * 1_000,
    store,
    driver,
    synchronous,
    steps: random.whole(4, 16),
    ending: random.pick(["close", "exit", "kill"] as const),
  };
}

interface Behind extends Pick<RecordingOrder, "folder" | "shim"> {
  readonly data: string;
  readonly log: string;
}

function runHost(order: HostOrder, { data, log, shim, folder }: Behind): void {
  const env = shimmed(shim, { FAULTS_FOLDER: data, FAULTS_LOG: log, FAULTS_MARKS: order.marks });
  const program = fileURLToPath(new URL("./host.child.js", import.meta.url));
  const output = openOutput(folder);
  const stdio = ["ignore", output.fd, output.fd] as const;
  const ran = spawnSync(process.execPath, [program, JSON.stringify(order)], { env, stdio: [...stdio] });
  closeSync(output.fd);
  const ended = order.ending === "kill" ? ran.signal === "SIGKILL" : ran.status === 0;
  if (!ended) throw new Error(`the host did not end as it was told: ${ran.signal ?? ran.status} ${tailOf(output)}`);
}

/** @throws when the record, replayed whole, is not what stands on the disk: the recorder would have missed something */
function assertComplete({ before, records }: Pick<Recording, "before" | "records">, now: Image): void {
  const disk = new Disk(before);
  for (const each of records) disk.apply(each);
  if (digestOf(disk.whole()) !== digestOf(now)) throw new Error("the recorder missed what was done to the files");
}

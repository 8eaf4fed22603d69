import { join } from "node:path";
import { openAgentStats, Recorder } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { WholeMap } from "../baselines/simplexmq.ts";
import { inFolder, KEY, sizeOf } from "../support/disk.ts";
import { writeHistory } from "../support/history.ts";
import { keyAt } from "../support/keys.ts";
import type { Figure, LineResult } from "../support/line.ts";

const KEYS = 100_000;
const GROWTH = [100, 1_000, 10_000, 100_000];
const FILE_KEYS = [100, 10_000] as const;
const FILE_DAYS = [45, 90] as const;
const PER_KEY_BYTES = 64;
const PER_COUNTER_BYTES = 8;

/** What this thread holds: objects, and the memory behind arrays, shared or not. */
function held(): number {
  if (!gc) throw new Error("run with --expose-gc");
  gc();
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** What `made` holds of memory, for each key. The keys' names are the host's. */
function perKey<T>(keys: number, make: () => T): { readonly made: T; readonly bytes: number } {
  const before = held();
  const made = make();
  return { made, bytes: (held() - before) / keys };
}

function named(keys: number) {
  return Array.from({ length: keys }, (_, number) => keyAt(number));
}

function counted(keys: number): number {
  const names = named(keys);
  const { made, bytes } = perKey(keys, () => {
    const recorder = new Recorder({ protocols: [smp] });
    for (const { userId, server } of names) recorder.server(smp, userId, server).add("sentDirect");
    recorder.takeChanges();
    return recorder;
  });
  // The names are the host's as long as it lives: were they let go before, they would be taken off the bill.
  if (made.rowCount !== names.length) throw new Error("not every key was counted");
  return bytes;
}

/** The same once it was saved, in the thread of the host: what the keeper remembers of it, too. */
async function saved(keys: number): Promise<number> {
  return inFolder(async (folder) => {
    const names = named(keys);
    const store = sqlcipherStore({ file: join(folder, "stats.db"), key: KEY });
    const stats = await openAgentStats({ protocols: [smp], store, flushEvery: 3_600_000 });
    const before = held();
    for (const { userId, server } of names) stats.server(smp, userId, server).add("sentDirect");
    await stats.flush();
    const bytes = (held() - before) / names.length;
    await stats.close();
    return bytes;
  });
}

async function wholeMap(keys: number): Promise<number> {
  return inFolder((folder) => {
    const scheme = new WholeMap(join(folder, "theirs.db"));
    const { bytes } = perKey(keys, () => scheme.fill(keys));
    scheme.close();
    return bytes;
  });
}

async function fileSizes(): Promise<{ readonly aKey: number; readonly aDay: number; readonly theirs: number }> {
  return inFolder((folder) => {
    const sizeWith = (keys: number, days: number) => {
      const file = join(folder, `${keys}-${days}.db`);
      writeHistory(file, keys, days);
      return sizeOf(file);
    };
    const [few, many] = FILE_KEYS;
    const [half, whole] = FILE_DAYS;
    const full = sizeWith(many, whole);
    const scheme = new WholeMap(join(folder, "theirs.db"));
    scheme.fill(many);
    scheme.save();
    scheme.close();
    return {
      aKey: (full - sizeWith(few, whole)) / (many - few),
      aDay: (full - sizeWith(many, half)) / (whole - half),
      theirs: sizeOf(join(folder, "theirs.db")) / many,
    };
  });
}

export async function space(): Promise<LineResult> {
  const ours = GROWTH.map(counted);
  const theirs: number[] = [];
  for (const keys of GROWTH) theirs.push(await wholeMap(keys));
  const file = await fileSizes();
  const at = GROWTH.indexOf(KEYS);
  const atMost = PER_KEY_BYTES + PER_COUNTER_BYTES * smp.counters.length;
  const against = "simplexmq's whole map";
  const bytes = (name: string, figure: number, baseline: number | null): Figure => ({
    name,
    unit: "bytes",
    figure,
    baseline,
    against: baseline === null ? null : against,
    target: null,
  });
  return {
    measured: `Memory of the host's thread, by ${KEYS.toLocaleString("en")} keys of ${smp.counters.length} counters and ${smp.gauges.length} gauges, without their names, which are the host's own strings. File: what a key's sums, and a day of 8 hours with 14 servers each, add to it.`,
    figures: [
      {
        ...bytes("memory of a key", ours[at] as number, theirs[at] as number),
        target: { of: "figure", atMost },
      },
      bytes("memory of a key that was saved this hour", await saved(10_000), theirs[at] as number),
      bytes("file, a key", file.aKey, file.theirs),
      bytes("file, a day of history", file.aDay, null),
    ],
    growth: [
      {
        name: "space",
        title: "Memory of a key",
        unit: "bytes",
        keys: GROWTH,
        series: [
          { name: "ours", ours: true, values: ours },
          { name: against, ours: false, values: theirs },
        ],
      },
    ],
  };
}

import { join } from "node:path";
import { openAgentStats } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { WholeMap } from "../baselines/simplexmq.ts";
import { bytesWritten, inFolder, KEY } from "../support/disk.ts";
import { keyAt } from "../support/keys.ts";
import type { Figure, Growth, LineResult } from "../support/line.ts";
import { median, shuffled, timed } from "../support/measure.ts";

const KEYS = [100, 1_000, 10_000, 100_000];
const SHARES = [0.01, 0.1, 1];
const COUNTED = ["sentDirect", "sentDirectAttempts"] as const;
/** Enough for several checkpoints, so that what they write is in the mean. */
const LONGEST = 60;

interface Cost {
  readonly mainMs: number;
  readonly doneMs: number;
  readonly bytes: number;
}

/** Repeats one save, for about so long; the median of the times, and the mean of the bytes. */
async function repeated(forMs: number, prepare: (round: number) => void, save: () => Promise<unknown>): Promise<Cost> {
  const found: { mainMs: number; wallMs: number; bytes: number }[] = [];
  const begun = performance.now();
  for (let round = 0; round < LONGEST && (round < 4 || performance.now() - begun < forMs); round++) {
    prepare(round);
    const before = bytesWritten() ?? Number.NaN;
    const time = await timed(save);
    // The first saves compile the code and fill the caches.
    if (round >= 2) found.push({ ...time, bytes: (bytesWritten() ?? Number.NaN) - before });
  }
  return {
    mainMs: median(found.map(({ mainMs }) => mainMs)),
    doneMs: median(found.map(({ wallMs }) => wallMs)),
    bytes: found.reduce((sum, { bytes }) => sum + bytes, 0) / found.length,
  };
}

async function ours(folder: string, keys: number): Promise<{ first: Cost; shares: Cost[] }> {
  const stats = await openAgentStats({
    protocols: [smp],
    store: sqlcipherStore({ file: join(folder, `ours-${keys}.db`), key: KEY }),
    flushEvery: 3_600_000,
  });
  const servers = Array.from({ length: keys }, (_, number) =>
    stats.server(smp, keyAt(number).userId, keyAt(number).server),
  );
  const count = (chosen: Iterable<number>) => {
    for (const number of chosen) for (const counter of COUNTED) servers[number]?.add(counter);
  };
  count(servers.keys());
  const time = await timed(() => stats.flush());
  const shares = await eachShare(keys, count, () => stats.flush());
  await stats.close();
  return { first: { mainMs: time.mainMs, doneMs: time.wallMs, bytes: 0 }, shares };
}

async function theirs(folder: string, keys: number): Promise<Cost[]> {
  const scheme = new WholeMap(join(folder, `theirs-${keys}.db`));
  scheme.fill(keys);
  scheme.save();
  const costs = await eachShare(
    keys,
    (chosen) => {
      for (const number of chosen) for (const counter of COUNTED) scheme.count(number, counter);
    },
    async () => scheme.save(),
  );
  scheme.close();
  return costs;
}

/** Saves of each share of the keys: others at every save, strewn over all. */
async function eachShare(
  keys: number,
  count: (chosen: Int32Array) => void,
  save: () => Promise<unknown>,
): Promise<Cost[]> {
  const costs: Cost[] = [];
  let saves = 0;
  for (const share of SHARES) {
    const chosen = () => shuffled(keys, ++saves).subarray(0, Math.max(1, Math.round(keys * share)));
    costs.push(await repeated(2_000, () => count(chosen()), save));
  }
  return costs;
}

export async function save(): Promise<LineResult> {
  const found: { keys: number; ours: Awaited<ReturnType<typeof ours>>; theirs: Cost[] }[] = [];
  for (const keys of KEYS) {
    await inFolder(async (folder) => {
      found.push({ keys, theirs: await theirs(folder, keys), ours: await ours(folder, keys) });
    });
  }
  return {
    measured:
      "One save of changed keys, two counters each. Main: what the host's thread works for it, the acknowledgement included. Done: until it is acknowledged, that is written and synced. Bytes: all that was handed to the system to be written, with the share of the checkpoints.",
    figures: found.flatMap((at) => figuresOf(at)),
    growth: [
      growth("save-main", "Main thread of one save", "ms", found, ({ mainMs }) => mainMs),
      growth("save-done", "One save until it is acknowledged", "ms", found, ({ doneMs }) => doneMs),
      growth("save-bytes", "Bytes written by one save", "bytes", found, ({ bytes }) => bytes),
    ],
  };
}

interface Found {
  readonly keys: number;
  readonly ours: { readonly first: Cost; readonly shares: readonly Cost[] };
  readonly theirs: readonly Cost[];
}

const THEIRS = "simplexmq's whole map";

function figuresOf({ keys, ours, theirs }: Found): Figure[] {
  const figures = SHARES.flatMap((share, index): Figure[] => {
    const [cost, their] = [ours.shares[index] as Cost, theirs[index] as Cost];
    const isJudged = keys === 10_000 && share === 0.01;
    const isLargest = keys === 10_000 && share === 1;
    const name = `${keys.toLocaleString("en")} keys, ${share * 100} %`;
    const against = THEIRS;
    return [
      {
        name: `${name}: main`,
        unit: "ms",
        figure: cost.mainMs,
        baseline: their.mainMs,
        against,
        target: isJudged ? { of: "ratio", atMost: 1 / 100 } : isLargest ? { of: "figure", atMost: 1 } : null,
      },
      { name: `${name}: done`, unit: "ms", figure: cost.doneMs, baseline: their.doneMs, against, target: null },
      {
        name: `${name}: bytes`,
        unit: "bytes",
        figure: cost.bytes,
        baseline: their.bytes,
        against,
        target: isJudged ? { of: "ratio", atMost: 1 / 50 } : null,
      },
    ];
  });
  const { mainMs, doneMs } = ours.first;
  const name = `${keys.toLocaleString("en")} keys, the first save of all`;
  const none = { baseline: null, against: null, target: null };
  return [
    ...figures,
    { name: `${name}: main`, unit: "ms", figure: mainMs, ...none },
    { name: `${name}: done`, unit: "ms", figure: doneMs, ...none },
  ];
}

function growth(
  name: string,
  title: string,
  unit: Growth["unit"],
  found: readonly Found[],
  value: (cost: Cost) => number,
): Growth {
  return {
    name,
    title,
    unit,
    keys: KEYS,
    series: [
      ...SHARES.map((share, index) => ({
        name: `${share * 100} % changed`,
        ours: true,
        values: found.map(({ ours }) => value(ours.shares[index] as Cost)),
      })),
      { name: "simplexmq, 1 % changed", ours: false, values: found.map(({ theirs }) => value(theirs[0] as Cost)) },
    ],
  };
}

import { join } from "node:path";
import { openAgentStats } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { WholeMap } from "../baselines/simplexmq.ts";
import { inFolder, KEY } from "../support/disk.ts";
import { HOUR_KEYS, writeHistory } from "../support/history.ts";
import type { Figure, LineResult } from "../support/line.ts";
import { inTurns, median, timed } from "../support/measure.ts";

const GROWTH = [100, 1_000, 10_000];
const JUDGED = 10_000;
const ROUNDS = 9;

async function readAt(keys: number) {
  return inFolder(async (folder) => {
    const file = join(folder, "ours.db");
    writeHistory(file, keys);
    const stats = await openAgentStats({ protocols: [smp], store: sqlcipherStore({ file, key: KEY }) });
    const scheme = new WholeMap(join(folder, "theirs.db"));
    scheme.fill(keys);
    scheme.save();
    const times = await inTurns(ROUNDS, {
      stats: () => timed(() => stats.getServersStats()),
      timeline: () => timed(() => stats.getTimeline()),
      theirs: () => timed(async () => scheme.restore()),
    });
    const { servers } = await stats.getServersStats();
    const entries = await stats.getTimeline();
    if (servers.length !== keys || entries.length !== HOUR_KEYS) throw new Error("not everything was read");
    await stats.close();
    scheme.close();
    return times;
  });
}

export async function read(): Promise<LineResult> {
  const found = [];
  for (const keys of GROWTH) found.push(await readAt(keys));
  const at = found[GROWTH.indexOf(JUDGED)] as (typeof found)[number];
  type Times = readonly { readonly wallMs: number; readonly mainMs: number }[];
  const wall = (times: Times) => median(times.map(({ wallMs }) => wallMs));
  const main = (times: Times) => median(times.map(({ mainMs }) => mainMs));
  const against = "simplexmq's whole map, read and parsed";
  const figure = (name: string, figure: number, target: Figure["target"]): Figure => ({
    name: `${name}, ${JUDGED.toLocaleString("en")} keys`,
    unit: "ms",
    figure,
    baseline: wall(at.theirs),
    against,
    target,
  });
  return {
    measured: `From the call to the answer, as the host gets it: \`getServersStats\`, and the timeline of 90 days by hour, which has ${HOUR_KEYS.toLocaleString("en")} entries of three counters (8 hours a day, 14 servers an hour).`,
    figures: [
      figure("getServersStats", wall(at.stats), { of: "figure", atMost: 20 }),
      figure("getServersStats: main", main(at.stats), null),
      figure("getTimeline, 90 days", wall(at.timeline), { of: "figure", atMost: 50 }),
      figure("getTimeline, 90 days: main", main(at.timeline), null),
    ],
    growth: [
      {
        name: "read",
        title: "Reading everything",
        unit: "ms",
        keys: GROWTH,
        series: [
          { name: "getServersStats", ours: true, values: found.map(({ stats }) => wall(stats)) },
          { name: "getTimeline, 90 days", ours: true, values: found.map(({ timeline }) => wall(timeline)) },
          { name: "simplexmq's whole map", ours: false, values: found.map(({ theirs }) => wall(theirs)) },
        ],
      },
    ],
  };
}

import { join } from "node:path";
import { WholeMap } from "../baselines/simplexmq.ts";
import { inFolder } from "../support/disk.ts";
import { writeHistory } from "../support/history.ts";
import type { Figure, LineResult } from "../support/line.ts";
import { inTurns, median } from "../support/measure.ts";
import { once } from "../support/once.ts";

const GROWTH = [100, 1_000, 10_000];
const ROUNDS = 7;

interface Time {
  /** Work of the main thread in all, and the longest that it did nothing else. */
  readonly mainMs: number;
  readonly longestMs: number;
  readonly wallMs: number;
}

async function startAt(keys: number) {
  return inFolder(async (folder) => {
    const [ours, theirs] = [join(folder, "ours.db"), join(folder, "theirs.db")];
    writeHistory(ours, keys);
    const scheme = new WholeMap(theirs);
    scheme.fill(keys);
    scheme.save();
    scheme.close();
    return inTurns(ROUNDS, {
      past: () => startOnce("past", ours),
      zero: () => startOnce("zero", ours),
      theirs: () => startOnce("theirs", theirs),
    });
  });
}

/** Two starts: who watches whether the thread is blocked keeps it busy. */
async function startOnce(what: string, file: string): Promise<Time> {
  const { longestMs } = await once<Time>("start", what, file, "watched");
  return { ...(await once<Time>("start", what, file)), longestMs };
}

export async function start(): Promise<LineResult> {
  const found = [];
  for (const keys of GROWTH) found.push(await startAt(keys));
  const wall = (times: readonly Time[]) => median(times.map(({ wallMs }) => wallMs));
  const main = (times: readonly Time[]) => median(times.map(({ mainMs }) => mainMs));
  const longest = (times: readonly Time[]) => median(times.map(({ longestMs }) => longestMs));
  const [few, , many] = found as [(typeof found)[number], unknown, (typeof found)[number]];
  const against = "simplexmq's whole map, restored";
  const figure = (name: string, figure: number, baseline: number, atMost: number | null): Figure => ({
    name: `${name}, 10,000 keys`,
    unit: "ms",
    figure,
    baseline,
    against,
    target: atMost === null ? null : { of: "figure", atMost },
  });
  return {
    measured:
      "`openAgentStats` in a fresh process, until it is ready: the file opened with a raw key, a session begun, dead ones folded, and, where it starts from the past, 10,000 keys of three counters restored. Main: the longest that the host's thread does nothing else, and what it works in all.",
    figures: [
      figure("from the past: main, blocked", longest(many.past), longest(many.theirs), 5),
      figure("from the past: main, in all", main(many.past), main(many.theirs), null),
      figure("from the past: ready", wall(many.past), wall(many.theirs), 100),
      figure("from zero: main, blocked", longest(many.zero), longest(many.theirs), 5),
      figure("from zero: main, in all", main(many.zero), main(many.theirs), null),
      figure("from zero: ready", wall(many.zero), wall(many.theirs), 100),
      {
        ...figure("from the past: ready", wall(many.past), wall(few.past), null),
        against: "the same with 100 keys",
      },
    ],
    growth: [
      {
        name: "start",
        title: "Start until ready",
        unit: "ms",
        keys: GROWTH,
        series: [
          { name: "from the past: ready", ours: true, values: found.map(({ past }) => wall(past)) },
          { name: "from the past: main blocked", ours: true, values: found.map(({ past }) => longest(past)) },
          { name: "from zero: main blocked", ours: true, values: found.map(({ zero }) => longest(zero)) },
          { name: "simplexmq's whole map", ours: false, values: found.map(({ theirs }) => wall(theirs)) },
        ],
      },
    ],
  };
}

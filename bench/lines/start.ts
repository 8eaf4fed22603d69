import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WholeMap } from "../baselines/simplexmq.ts";
import { inFolder } from "../support/disk.ts";
import { writeHistory } from "../support/history.ts";
import type { Figure, LineResult } from "../support/line.ts";
import { inTurns, median } from "../support/measure.ts";

const GROWTH = [100, 1_000, 10_000];
const ROUNDS = 7;
const PROGRAM = fileURLToPath(new URL("../once/start.js", import.meta.url));
const run = promisify(execFile);

interface Time {
  readonly mainMs: number;
  readonly wallMs: number;
}

async function once(what: string, file: string): Promise<Time> {
  const { stdout } = await run(process.execPath, [PROGRAM, what, file]);
  return JSON.parse(stdout) as Time;
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
      past: () => once("past", ours),
      zero: () => once("zero", ours),
      theirs: () => once("theirs", theirs),
    });
  });
}

export async function start(): Promise<LineResult> {
  const found = [];
  for (const keys of GROWTH) found.push(await startAt(keys));
  const wall = (times: readonly Time[]) => median(times.map(({ wallMs }) => wallMs));
  const main = (times: readonly Time[]) => median(times.map(({ mainMs }) => mainMs));
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
      "`openAgentStats` in a fresh process, until it is ready: the file opened with a raw key, a session begun, dead ones folded, and, where it starts from the past, 10,000 keys of three counters restored. Main: what the host's thread works meanwhile.",
    figures: [
      figure("from the past: main", main(many.past), main(many.theirs), 5),
      figure("from the past: ready", wall(many.past), wall(many.theirs), 100),
      figure("from zero: main", main(many.zero), main(many.theirs), 5),
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
          { name: "from the past: main thread", ours: true, values: found.map(({ past }) => main(past)) },
          { name: "from zero: main thread", ours: true, values: found.map(({ zero }) => main(zero)) },
          { name: "simplexmq's whole map", ours: false, values: found.map(({ theirs }) => wall(theirs)) },
        ],
      },
    ],
  };
}

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { openAgentStats } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { WholeMap } from "../baselines/simplexmq.ts";
import { inFolder, KEY } from "../support/disk.ts";
import { writeHistory } from "../support/history.ts";
import type { LineResult } from "../support/line.ts";
import { inTurns, median, timed } from "../support/measure.ts";

const GROWTH = [100, 1_000, 10_000];
const JUDGED = 10_000;
const ROUNDS = 5;

async function eraseAt(keys: number) {
  return inFolder(async (folder) => {
    const written = join(folder, "history.db");
    writeHistory(written, keys);
    return inTurns(ROUNDS, {
      ours: async (round) => {
        const file = join(folder, `ours-${round}.db`);
        copyFileSync(written, file);
        const store = sqlcipherStore({ file, key: KEY });
        const stats = await openAgentStats({ protocols: [smp], store, startFrom: "past" });
        const time = await timed(async () => {
          const { erased } = await stats.deleteUser(1);
          if (erased !== "physically") throw new Error(`the deletion went only ${erased}`);
        });
        await stats.close();
        return time;
      },
      theirs: async (round) => {
        const scheme = new WholeMap(join(folder, `theirs-${round}.db`));
        scheme.fill(keys);
        scheme.save();
        const time = await timed(async () => scheme.deleteUser(1));
        scheme.close();
        return time;
      },
    });
  });
}

export async function erase(): Promise<LineResult> {
  const found = [];
  for (const keys of GROWTH) found.push(await eraseAt(keys));
  const at = found[GROWTH.indexOf(JUDGED)] as (typeof found)[number];
  const wall = (times: readonly { readonly wallMs: number }[]) => median(times.map(({ wallMs }) => wallMs));
  const main = (times: readonly { readonly mainMs: number }[]) => median(times.map(({ mainMs }) => mainMs));
  const against = "simplexmq's whole map, which erases nothing from the file";
  const name = `deleteUser, ${JUDGED.toLocaleString("en")} keys, half of them the user's`;
  return {
    measured:
      "From `deleteUser` to its acknowledgement that no page of any file holds the user any more, with 90 days of history; and what the host's thread works for it.",
    figures: [
      {
        name: `${name}: done`,
        unit: "ms",
        figure: wall(at.ours),
        baseline: wall(at.theirs),
        against,
        target: { of: "figure", atMost: 150 },
      },
      {
        name: `${name}: main`,
        unit: "ms",
        figure: main(at.ours),
        baseline: main(at.theirs),
        against,
        target: { of: "figure", atMost: 2 },
      },
    ],
    growth: [
      {
        name: "erase",
        title: "deleteUser until it is acknowledged",
        unit: "ms",
        keys: GROWTH,
        series: [
          { name: "ours, erased from every page", ours: true, values: found.map(({ ours }) => wall(ours)) },
          { name: "ours, main thread", ours: true, values: found.map(({ ours }) => main(ours)) },
          { name: "simplexmq's whole map", ours: false, values: found.map(({ theirs }) => wall(theirs)) },
        ],
      },
    ],
  };
}

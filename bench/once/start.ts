import { openAgentStats } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { WholeMap } from "../baselines/simplexmq.ts";
import { KEY } from "../support/disk.ts";
import { timed } from "../support/measure.ts";

/** One start in a process of its own, as every start is one: prints how long it took. */
const [what = "", file = "", watched = ""] = process.argv.slice(2);
const isWatched = watched === "watched";
let close = async (): Promise<void> => {};
let longestMs = 0;
let last = performance.now();
let isOver = false;
const turn = (): void => {
  const now = performance.now();
  longestMs = Math.max(longestMs, now - last);
  last = now;
  if (!isOver) setImmediate(turn);
};
const time = await timed(async () => {
  // Looks at every turn of the loop, which a thread that has nothing else to do spends on nothing else.
  last = performance.now();
  if (isWatched) setImmediate(turn);
  if (what === "theirs") {
    const scheme = new WholeMap(file);
    scheme.restore();
    close = async () => scheme.close();
    return;
  }
  const store = sqlcipherStore({ file, key: KEY });
  const stats = await openAgentStats({ protocols: [smp], store, startFrom: what === "past" ? "past" : "zero" });
  close = () => stats.close();
});
isOver = true;
turn();
process.stdout.write(JSON.stringify({ ...time, longestMs }));
await close();

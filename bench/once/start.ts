import { openAgentStats } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { WholeMap } from "../baselines/simplexmq.ts";
import { KEY } from "../support/disk.ts";
import { timed } from "../support/measure.ts";

/** One start in a process of its own, as every start is one: prints how long it took. */
const [what = "", file = ""] = process.argv.slice(2);
let close = async (): Promise<void> => {};
const time = await timed(async () => {
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
process.stdout.write(JSON.stringify(time));
await close();

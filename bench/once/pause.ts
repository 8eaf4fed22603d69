import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { openAgentStats } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { inFolder, KEY } from "../support/disk.ts";
import { keyAt } from "../support/keys.ts";
import { randomOf } from "../support/measure.ts";

const SERVERS = 1_000;
const EVERY_MS = 10;
const A_SECOND = 50_000;

/** A program that counts for so long, with statistics or in a bare array: prints how late its event loop came, in ms. */
const [what = "", seconds = "6"] = process.argv.slice(2);

await inFolder(async (folder) => {
  const store = sqlcipherStore({ file: join(folder, "stats.db"), key: KEY });
  const stats = what === "ours" ? await openAgentStats({ protocols: [smp], store, flushEvery: 1_000 }) : null;
  const bare = new Float64Array(SERVERS);
  const counters = Array.from({ length: SERVERS }, (_, number) =>
    stats?.server(smp, keyAt(number).userId, keyAt(number).server).counter("sentDirect"),
  );
  const random = randomOf(1);
  const timer = setInterval(() => {
    for (let i = 0; i < (A_SECOND * EVERY_MS) / 1_000; i++) {
      const number = Math.floor(random() * SERVERS);
      if (stats) counters[number]?.add();
      else bare[number] = (bare[number] as number) + 1;
    }
  }, EVERY_MS);
  // What starting costs is another line.
  await wait(1_500);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await wait(Number(seconds) * 1_000);
  delay.disable();
  clearInterval(timer);
  process.stdout.write(JSON.stringify({ p50: delay.percentile(50) / 1e6, p999: delay.percentile(99.9) / 1e6 }));
  await stats?.close();
});

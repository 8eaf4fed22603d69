import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { keepStats, Recorder } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { sqliteStore } from "agent-stats/sqlite";
import { openEncrypted } from "../baselines/simplexmq.ts";
import { inFolder, KEY } from "../support/disk.ts";
import { keyAt } from "../support/keys.ts";
import { quantile } from "../support/measure.ts";

const SERVERS = 14;
const EVERY_MS = 5;

/** A chat that writes messages into its own encrypted database: prints how long one insert took, in ms. */
const [what = "", seconds = "6"] = process.argv.slice(2);

await inFolder(async (folder) => {
  const chat = openEncrypted(join(folder, "chat.db"));
  chat.exec("CREATE TABLE message (id INTEGER PRIMARY KEY, at INTEGER, body TEXT)");
  const insert = chat.prepare("INSERT INTO message (at, body) VALUES (?, ?)");
  const recorder = new Recorder({ protocols: [smp] });
  const stores = {
    without: () => null,
    within: () => sqliteStore(chat as Parameters<typeof sqliteStore>[0]),
    beside: () => sqlcipherStore({ file: join(folder, "stats.db"), key: KEY }),
  };
  const store = stores[what as keyof typeof stores]();
  const stats = store && (await keepStats({ agent: recorder, store, flushEvery: 1_000 }));
  const servers = Array.from({ length: SERVERS }, (_, n) => recorder.server(smp, keyAt(n).userId, keyAt(n).server));
  const took: number[] = [];
  const body = "a message of ordinary length, which says what people say to each other ".repeat(4);
  const timer = setInterval(() => {
    const begun = performance.now();
    insert.run([Date.now(), body]);
    took.push(performance.now() - begun);
    const server = servers[took.length % SERVERS];
    server?.add("sentDirect");
    server?.add("sentDirectAttempts");
  }, EVERY_MS);
  await wait(1_000);
  took.length = 0;
  await wait(Number(seconds) * 1_000);
  clearInterval(timer);
  process.stdout.write(JSON.stringify({ p50: quantile(took, 0.5), p99: quantile(took, 0.99) }));
  await stats?.close();
  chat.close();
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openAgentStats } from "agent-stats";
import { smp } from "agent-stats/simplex";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import { inFolder, KEY } from "../support/disk.ts";
import { inTurns, median } from "../support/measure.ts";
import { inWorkspace } from "../support/paths.ts";

/**
 * How long the command takes to its first output, on this Node, beside a program that prints one letter. Not a line of
 * the table: a start is of a process, so a busy machine moves it more than any change does. See bench/README.md.
 */
const ROUNDS = 21;
const COMMAND = inWorkspace("packages", "cli", "bin", "agent-stats.js");

async function firstOutputMs(...words: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  await once(child.stdout, "data");
  const took = performance.now() - began;
  child.stdout.resume();
  await ended;
  return took;
}

await inFolder(async (folder) => {
  const [file, key] = [join(folder, "stats.db"), join(folder, "key")];
  writeFileSync(key, KEY, { mode: 0o600 });
  const stats = await openAgentStats({ protocols: [smp], store: sqlcipherStore({ file, key: KEY }) });
  for (let i = 0; i < 5; i++) stats.server(smp, 1, `smp://key@server-${i}.example`).add("sentDirect", i + 1);
  await stats.close();
  const of = (verb: string) => () => firstOutputMs(COMMAND, verb, "--db", file, "--key-file", key);
  const found = await inTurns(ROUNDS, {
    "node alone": () => firstOutputMs("-e", "console.log(1)"),
    "--help": () => firstOutputMs(COMMAND, "--help"),
    show: of("show"),
    doctor: of("doctor"),
  });
  for (const [name, values] of Object.entries(found)) console.log(`${name.padEnd(12)}${median(values).toFixed(0)} ms`);
});

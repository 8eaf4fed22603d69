/**
 * The fault campaign: tries to break every promise, and shows by controls that it could. See `--help`, and `trials/`
 * for what is done.
 */
import { parseFlags, USAGE, UsageError } from "./campaign/flags.ts";
import { jsonOf } from "./campaign/json.ts";
import { progressOf } from "./campaign/progress.ts";
import { runTrial, type TrialResult } from "./campaign/run-trial.ts";
import { failuresIn, grouped, tableOf } from "./campaign/table.ts";
import { demandOf, isWhole, lastLine, verdictText } from "./campaign/verdict.ts";
import { CATALOGUE } from "./catalogue.ts";
import { writeReport } from "./report.ts";

async function main(args: readonly string[]): Promise<number> {
  const names = CATALOGUE.map(({ name }) => name);
  const flags = parseFlags(args, names);
  if (flags.help) {
    console.log(USAGE);
    return 0;
  }
  const { scale, only, seed } = flags;
  const trials = CATALOGUE.filter(({ name }) => only.length === 0 || only.includes(name));
  process.stderr.write(`${trials.length} trials, scale ${scale}, seed ${seed}, Node.js ${process.version}\n`);
  const results: TrialResult[] = [];
  for (const trial of trials) {
    const count = flags.count ?? trial.scale[scale];
    const line = progressOf(trial, count, process.stderr);
    const demand = demandOf(trial, flags);
    const result = await runTrial({ trial, count, seed, demand, progress: line.progress });
    line.end(result.ran, verdictText(result));
    // At once: the table comes at the end, which may be an hour away.
    for (const failed of failuresIn(result)) process.stderr.write(`${failed}\n`);
    results.push(result);
  }
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  console.log(tableOf(results));
  console.log(`\n${lastLine(results)}; seed ${seed}; ${grouped(Math.round(seconds))} s`);
  if (flags.report || isWhole(flags)) writeReport(results, { scale, seed, count: flags.count });
  if (flags.json) console.log(jsonOf(results));
  return results.every(({ ok }) => ok) ? 0 : 1;
}

// An exit, unlike a signal, ends the processes under test and removes their files.
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
] as const) {
  process.once(signal, () => process.exit(128 + number));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

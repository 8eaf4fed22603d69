/**
 * Secrets: hosts go wrong in every way that has an error, with all that Node.js can tell of them switched on, and print
 * every error and public object. What they leave, hold open and say is searched for the key and for every name.
 */
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inLanes } from "../../remote/lanes.ts";
import type { Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import { problemsOf } from "./judge.ts";
import { SCENARIOS } from "./scenarios.ts";
import { type Seen, secretsUnit, temporaryFiles } from "./unit.ts";

export const secrets: Trial = {
  name: "secrets",
  what: "Hosts go wrong in every way and tell all they can; files, open files, output and stacks are searched for secrets",
  unit: "hosts",
  atLeast: SCENARIOS.length,
  scale: { small: SCENARIOS.length, full: 6 * SCENARIOS.length },
  run,
};

async function run(context: TrialContext): Promise<TrialOutcome> {
  const { folder } = context;
  const [onDisk, inMemory] = [await temporaryFiles("FILE", folder), await temporaryFiles("MEMORY", folder)];
  const { seen, failures } = await inLanes<readonly [], Seen>(context, {
    start: () => [],
    unit: (_, seed) => secretsUnit(seed, folder),
  });
  const broken = seen.flatMap(({ seed, seen }) => problemsOf(seen).map((what) => ({ seed, what })));
  const sum = (of: (each: Seen) => number) => seen.reduce((all, each) => all + of(each.seen), 0);
  return {
    ran: seen.length,
    seen: {
      hits: sum(({ hits }) => hits.length),
      files: sum(({ files }) => files),
      megabytes: Math.ceil(sum(({ bytes }) => bytes) / 1_000_000),
      openFilesRead: sum(({ openFiles }) => openFiles),
      memoryRegionsThatACoreFileWouldShow: Math.max(0, ...seen.map(({ seen }) => seen.regions)),
    },
    controls: [
      {
        without: "temp_store = MEMORY: a large sort of a host's own connection",
        bites: onDisk > 0 && inMemory === 0,
        seen: { hitsWithFile: onDisk, hitsWithMemory: inMemory },
      },
    ],
    failures: [...failures, ...broken].slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

/** The same arguments to the command as its users run it: in a process of its own. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { inParallel } from "../../parallel.ts";
import type { Failure, TrialContext } from "../../trial.ts";
import { argumentsOf, judgeRun, MAIN, makeFiles } from "./fuzz-cli.ts";

const PATIENCE_MS = 60_000;
/** The command is spawned once for so many inputs of the trial, and never less often than this. */
export const SPAWNED_OF = 10_000;
export const FEWEST_SPAWNED = 4;
/** These run until they are ended: being there when the signal comes is all that is asked of them. */
const ENDLESS = [["view"], ["watch"], ["watch", "simplex", "ws://127.0.0.1:9"], ["view", "--port", "0"]];
const ENDED_AFTER_MS = 1_500;

export async function spawnCommands(context: Pick<TrialContext, "count" | "seed" | "folder" | "parallel">) {
  const { count, seed, folder, parallel } = context;
  const files = await makeFiles(join(folder, "spawned"));
  const good = ["--db", files.db, "--key-file", files.key];
  const given = [
    ...fc.sample(argumentsOf(files), { numRuns: count, seed }),
    ...ENDLESS.map((verb) => [...verb, ...good]),
  ];
  const failures: Failure[] = [];
  await inParallel(given, parallel, async (args, n) => {
    const isEndless = n >= count;
    const ended = await run(args, files.folder, isEndless ? ENDED_AFTER_MS : PATIENCE_MS);
    try {
      judgeRun({ code: isEndless && ended.code === null ? 0 : (ended.code ?? ended.signal), said: ended.said });
    } catch (error) {
      const again = isEndless || n < FEWEST_SPAWNED ? {} : { count: (n + 1) * SPAWNED_OF };
      failures.push({ seed, ...again, what: `spawned ${fc.stringify(args).slice(0, 200)}: ${error}` });
    }
  });
  return { ran: given.length, failures };
}

function run(args: readonly string[], cwd: string, patienceMs: number) {
  const child = spawn(process.execPath, [fileURLToPath(MAIN), ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? "", TMPDIR: cwd },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const timer = setTimeout(() => child.kill("SIGTERM"), patienceMs);
  return new Promise<{ code: number | null; signal: string | null; said: string }>((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, said });
    });
  });
}

import { type ChildProcess, fork } from "node:child_process";
import { closeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openOutput, tailOf } from "./outputs.ts";

/** What a part says is kept below its folder, which has to be the trial's or in it. */
export interface PartFolder {
  readonly folder: string;
}

/** A part of a trial in a process of its own: a driver that crashes there is a finding, not the end of the campaign. */
export interface Part<Job extends PartFolder, Result> {
  /** The compiled module, beside the caller's: `new URL("./part.js", import.meta.url)`. */
  readonly module: URL;
  readonly job: Job;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with how many units are done. */
  progress(done: number): void;
  /** What is made of a part whose process died before it answered. */
  died(how: string): Result;
}

type Message<Result> = { readonly done: number } | { readonly result: Result };

/** Each has its output to itself: the last that it said is told when it died. */
let started = 0;

export async function runPart<Job extends PartFolder, Result>(part: Part<Job, Result>): Promise<Result> {
  started += 1;
  const output = openOutput(part.job.folder, `part-${started}`);
  const child = fork(fileURLToPath(part.module), [], {
    stdio: ["ignore", output.fd, output.fd, "ipc"],
    env: part.env ?? process.env,
    execArgv: [],
  });
  closeSync(output.fd);
  child.send({ job: part.job });
  return new Promise((resolve) => {
    child.on("message", (message: Message<Result>) => {
      if ("done" in message) return part.progress(message.done);
      child.removeAllListeners("exit");
      resolve(message.result);
      child.disconnect();
    });
    child.on("exit", (code, signal) => resolve(part.died(`${howItEnded(code, signal)}: ${tailOf(output)}`)));
  });
}

function howItEnded(code: ChildProcess["exitCode"], signal: ChildProcess["signalCode"]): string {
  return signal === null ? `the process ended with code ${code}` : `the process died of ${signal}`;
}

/** In the part's own module: does the job that it was started with. A job that breaks ends the process, which tells why. */
export function servePart<Job, Result>(work: (job: Job, progress: (done: number) => void) => Promise<Result>): void {
  const send = (message: Message<Result>) => process.send?.(message);
  process.once("message", async ({ job }: { job: Job }) => {
    try {
      const result = await work(job, (done) => send({ done }));
      send({ result });
    } catch (error) {
      console.error(error);
      process.exit(1);
    }
  });
}

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A part of a trial in a process of its own: a driver that crashes there is a finding, not the end of the campaign. */
export interface Part<Job, Result> {
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

export async function runPart<Job, Result>(part: Part<Job, Result>): Promise<Result> {
  const child = fork(fileURLToPath(part.module), [], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: part.env ?? process.env,
    execArgv: [],
  });
  let said = "";
  child.stderr?.on("data", (text: Buffer) => {
    said = (said + text.toString()).slice(-2_000);
  });
  child.send({ job: part.job });
  return new Promise((resolve) => {
    child.on("message", (message: Message<Result>) => {
      if ("done" in message) return part.progress(message.done);
      child.removeAllListeners("exit");
      resolve(message.result);
      child.disconnect();
    });
    child.on("exit", (code, signal) => resolve(part.died(`${howItEnded(code, signal)}: ${said}`)));
  });
}

function howItEnded(code: ChildProcess["exitCode"], signal: ChildProcess["signalCode"]): string {
  return signal === null ? `the process ended with code ${code}` : `the process died of ${signal}`;
}

/** In the part's own module: does the job that it was started with. */
export function servePart<Job, Result>(work: (job: Job, progress: (done: number) => void) => Promise<Result>): void {
  const send = (message: Message<Result>) => process.send?.(message);
  process.once("message", async ({ job }: { job: Job }) => {
    const result = await work(job, (done) => send({ done }));
    send({ result });
  });
}

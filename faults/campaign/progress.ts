import type { Trial } from "../trial.ts";
import { grouped } from "./table.ts";

/** Where there is no terminal a line is never redrawn, so there are few. */
const LINE_EVERY_MS = 30_000;
const REDRAW_EVERY_MS = 200;

/** One line a trial, on stderr: what a program reads of this is on stdout. */
export function progressOf(trial: Pick<Trial, "name" | "unit">, count: number, stream: NodeJS.WriteStream) {
  const begun = performance.now();
  const every = stream.isTTY ? REDRAW_EVERY_MS : LINE_EVERY_MS;
  let told = begun;
  const text = (done: number) => {
    const seconds = ((performance.now() - begun) / 1_000).toFixed(0);
    return `${trial.name}: ${grouped(done)} of ${grouped(count)} ${trial.unit}, ${seconds} s`;
  };
  const tell = (line: string, isLast: boolean) => {
    if (stream.isTTY) stream.write(`\r\u001b[K${line}${isLast ? "\n" : ""}`);
    else stream.write(`${line}\n`);
  };
  return {
    progress(done: number) {
      if (performance.now() - told < every) return;
      told = performance.now();
      tell(text(done), false);
    },
    end(done: number, verdict: string) {
      tell(`${text(done)}: ${verdict}`, true);
    },
  };
}

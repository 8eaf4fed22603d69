import type { CommandContext, StricliProcess } from "./stricli.ts";

/** What the text is written for. */
export interface Terminal {
  /** The most cells that a line may have. */
  readonly width: number;
  readonly colour: boolean;
}

/** What a verb is given of the process that it runs in: `this` of its function. */
export interface CliContext extends CommandContext {
  readonly process: StricliProcess;
  readonly terminal: Terminal;
}

/** Where nobody tells a width: a file, a pipe, a report. */
const DEFAULT_WIDTH = 80;
/** Below this a table is no table any more; the terminal breaks the lines then. */
const NARROWEST = 60;

/** The half of `process.stdout` that matters here. */
interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  hasColors?(): boolean;
}

/** What an output can show. Colour is for terminals only, and not where NO_COLOR is set (https://no-color.org). */
export function terminalOf(output: Output, env: Readonly<Record<string, string | undefined>>): Terminal {
  if (!output.isTTY) return { width: DEFAULT_WIDTH, colour: false };
  return {
    // A terminal that does not know its size says 0.
    width: Math.max(output.columns || DEFAULT_WIDTH, NARROWEST),
    colour: !env.NO_COLOR && (output.hasColors?.() ?? false),
  };
}

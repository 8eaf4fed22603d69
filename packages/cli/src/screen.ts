import { stripVTControlCharacters } from "node:util";
import { cells } from "./text/cells.ts";

/** The alternate screen of a terminal: what was there before is there again afterwards. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Shows these lines, at most as many as there are rows. Nothing is written where nothing changed. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back as it was. Doing it twice does no harm. */
  close(): void;
}

/** The halves of `process.stdout` and `process.stdin` that matter here. */
export interface ScreenOutput {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}
export interface ScreenInput {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
  on(event: "data", listener: (data: Buffer | string) => void): unknown;
  off(event: "data", listener: (data: Buffer | string) => void): unknown;
}

const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[H\u001b[2J";
/** Lines wrap again, the cursor is back, and so is what was on the screen. */
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const END_OF_LINE = "\u001b[K";
const END_OF_SCREEN = "\u001b[J";
/** A terminal that knows these shows a frame at once; the others ignore them. */
const BEGIN_FRAME = "\u001b[?2026h";
const END_FRAME = "\u001b[?2026l";

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const SUSPEND = "\u001a";

/**
 * Takes the terminal over, until `close`, or until the process ends however it can: every ending but SIGKILL gives the
 * terminal back. Lines are written over each other, never cleared first, so nothing flickers.
 */
export function openScreen(
  output: ScreenOutput,
  input: ScreenInput,
  on: { key(key: string): void; resize(): void },
): Screen {
  const taken = takeOver(output, input, on.resize);
  const onData = (data: Buffer | string) => {
    if (String(data) === SUSPEND) taken.suspend();
    else on.key(String(data));
  };
  const onResize = () => {
    taken.forget();
    on.resize();
  };
  process.on("exit", taken.leave);
  output.on("resize", onResize);
  if (input.isTTY) {
    input.on("data", onData);
    input.resume();
  }
  return {
    get columns() {
      return output.columns || DEFAULT_COLUMNS;
    },
    get rows() {
      return output.rows || DEFAULT_ROWS;
    },
    draw(lines) {
      const fitting = lines.slice(0, this.rows);
      taken.show(fitting.map((line) => ended(line, this.columns)).join("\r\n"));
    },
    close() {
      taken.leave();
      process.off("exit", taken.leave);
      output.off("resize", onResize);
      input.off("data", onData);
      input.pause();
    },
  };
}

/** After a full line the cursor is still on its last cell: what erases to the end would erase that too. */
function ended(line: string, columns: number): string {
  return cells(stripVTControlCharacters(line)) < columns ? line + END_OF_LINE : line;
}

/** The terminal while it is ours: entered, left, left for a while, and what it shows. */
function takeOver(output: ScreenOutput, input: ScreenInput, onBack: () => void) {
  let last = "";
  let isOpen = false;
  const enter = () => {
    isOpen = true;
    last = "";
    output.write(ENTER);
    input.setRawMode?.(true);
  };
  const leave = () => {
    if (!isOpen) return;
    isOpen = false;
    output.write(LEAVE);
    input.setRawMode?.(false);
  };
  enter();
  return {
    leave,
    forget() {
      last = "";
    },
    show(frame: string) {
      if (!isOpen || frame === last) return;
      last = frame;
      output.write(BEGIN_FRAME + HOME + frame + END_OF_SCREEN + END_FRAME);
    },
    suspend() {
      leave();
      process.once("SIGCONT", () => {
        enter();
        onBack();
      });
      process.kill(process.pid, "SIGSTOP");
    },
  };
}

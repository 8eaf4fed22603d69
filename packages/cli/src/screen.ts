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
  const suspend = () => {
    leave();
    process.once("SIGCONT", () => {
      enter();
      on.resize();
    });
    process.kill(process.pid, "SIGSTOP");
  };
  const onData = (data: Buffer | string) => {
    const key = String(data);
    if (key === SUSPEND) suspend();
    else on.key(key);
  };
  const onResize = () => {
    last = "";
    on.resize();
  };
  enter();
  process.on("exit", leave);
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
      const frame = lines
        .slice(0, this.rows)
        .map((line) => line + END_OF_LINE)
        .join("\r\n");
      if (!isOpen || frame === last) return;
      last = frame;
      output.write(BEGIN_FRAME + HOME + frame + END_OF_SCREEN + END_FRAME);
    },
    close() {
      leave();
      process.off("exit", leave);
      output.off("resize", onResize);
      input.off("data", onData);
      input.pause();
    },
  };
}

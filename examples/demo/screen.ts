import type { WriteStream } from "node:tty";
import { stripVTControlCharacters, styleText } from "node:util";

export const WIDTH = 80;

type Style = Parameters<typeof styleText>[0];

/** Writes lines, and on a terminal one line that changes while something goes on. */
export interface Screen {
  line(text?: string): void;
  /** Shows a line for the moment: the next one takes its place. Only on a terminal. */
  live(text: string): void;
  style(style: Style, text: string): string;
}

export function screenOn(stream: WriteStream): Screen {
  const isTerminal = stream.isTTY === true;
  const hasColors = isTerminal && stream.hasColors();
  const clear = isTerminal ? "\r\x1b[2K" : "";
  return {
    line: (text = "") => void stream.write(`${clear}${text}\n`),
    live(text) {
      // A line that wraps could not be taken back.
      if (isTerminal) stream.write(clear + cut(text, (stream.columns ?? WIDTH) - 1));
    },
    style: (style, text) => (hasColors ? styleText(style, text) : text),
  };
}

function cut(text: string, width: number): string {
  return stripVTControlCharacters(text).length <= width ? text : stripVTControlCharacters(text).slice(0, width);
}

/** Breaks a text into lines that fit, each behind the same indent. */
export function wrap(text: string, indent: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}

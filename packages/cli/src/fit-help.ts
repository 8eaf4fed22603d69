import { stripVTControlCharacters } from "node:util";

const WIDTH = 80;

/** Breaks what Stricli leaves as long as it comes: usage lines and the flags' meanings, each under its own beginning. */
function fitHelp(help: string): string {
  return help
    .split("\n")
    .flatMap((line) => (lengthOf(line) <= WIDTH ? [line] : hanging(line)))
    .join("\n");
}

function lengthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** A sentence begins at the edge, and goes on there. */
function usageIndent(line: string): number {
  const spaces = /^\s*/.exec(line)?.[0].length ?? 0;
  return spaces === 0 ? 0 : spaces + 4;
}

function hanging(line: string): string[] {
  // Under the last column of a table; of a sentence, a little further in.
  const columns = /^(\s*\S.*?\s{2,})\S/.exec(stripVTControlCharacters(line));
  const indent = " ".repeat(columns?.[1]?.length ?? usageIndent(line));
  const lines: string[] = [];
  let current = "";
  for (const part of line.split(/(?<=\S)(?=\s)/)) {
    if (lengthOf(current + part) > WIDTH && current.trim() !== "") {
      lines.push(current);
      current = indent + part.trimStart();
    } else current += part;
  }
  return [...lines, current];
}

/** The same verb, or the same verbs, with a help that fits. */
export function fitting<T extends { formatHelp(args: never): string }>(target: T): T {
  return { ...target, formatHelp: (args: never) => fitHelp(target.formatHelp(args)) };
}

/** What takes one cell and is shown as it is: ASCII and what numbers and gaps are written with. The quick way. */
const PLAIN = /^[\x20-\x7e\u202f…–]*$/;

/** Takes no cell of its own: accents that stand on the letter before. */
const ZERO = /^\p{M}$/u;
/** Takes two cells: the scripts of East Asia and emoji (Unicode Standard Annex 11, in its broad blocks). */
const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})$/u;

/** Controls, invisible marks, marks that turn the direction, and halves of pairs. */
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

/** How many cells of a terminal a text takes. */
export function cells(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let sum = 0;
  for (const point of text) sum += ZERO.test(point) ? 0 : WIDE.test(point) ? 2 : 1;
  return sum;
}

/**
 * Makes a name fit to be shown. Servers' names come from other people: an escape sequence in one would move the cursor,
 * a mark that turns the direction would show another name.
 */
export function printable(name: string): string {
  if (PLAIN.test(name)) return name;
  return name.replace(UNPRINTABLE, (point) => `\\u{${(point.codePointAt(0) as number).toString(16)}}`);
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - cells(text))) + text;
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - cells(text)));
}

/** Leaves out the middle of a text that is too long: what servers differ in stands at both ends. */
export function middle(text: string, width: number): string {
  if (cells(text) <= width) return text;
  const points = [...text];
  const tail = takeCells(points.toReversed(), Math.floor((width - 1) / 2));
  const head = takeCells(points, width - 1 - cells(tail.join("")));
  return `${head.join("")}…${tail.reverse().join("")}`;
}

/** As many as fit, from the start. */
function takeCells(points: readonly string[], width: number): string[] {
  let left = width;
  const fits = points.findIndex((point) => {
    left -= cells(point);
    return left < 0;
  });
  return points.slice(0, fits < 0 ? points.length : fits);
}

/** A name that needs more lines than this is not read to its end by anybody. */
const MOST_LINES = 3;
/** Where a server's address is best broken: after these. */
const BREAK_AFTER = /[@,/?&;]/;

/** Breaks a name, which has no spaces to break at, into lines; one that is far too long loses its middle. */
export function wrapName(name: string, width: number): string[] {
  let rest = [...middle(name, width * MOST_LINES - MOST_LINES)];
  const lines: string[] = [];
  while (cells(rest.join("")) > width) {
    const line = takeCells(rest, width);
    const broken = line.findLastIndex((point) => BREAK_AFTER.test(point)) + 1;
    const length = broken > line.length / 2 ? broken : Math.max(1, line.length);
    lines.push(rest.slice(0, length).join(""));
    rest = rest.slice(length);
  }
  return [...lines, rest.join("")];
}

const NO_BREAK = "\u00a0";

/** Makes one word of several, for {@link wrapWords}. */
export function together(words: string): string {
  return words.replaceAll(" ", NO_BREAK);
}

/** Breaks a sentence at its spaces, but not inside what is to stay together. What comes out has plain spaces only. */
export function wrapWords(sentence: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && cells(last) + 1 + cells(word) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll(NO_BREAK, " "));
}

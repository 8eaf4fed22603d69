import { wrapWords } from "./cells.ts";
import type { Paint } from "./paint.ts";

export interface Fact {
  readonly name: string;
  readonly sentence: string;
  readonly warns?: boolean;
}

const GAP = "  ";

/** Facts one below the other, their sentences in one column. */
export function headerLines(facts: readonly Fact[], width: number, paint: Paint): string[] {
  const nameWidth = Math.max(...facts.map(({ name }) => name.length));
  const indent = " ".repeat(nameWidth) + GAP;
  return facts.flatMap(({ name, sentence, warns = false }) =>
    wrapWords(sentence, width - indent.length).map((line, i) => {
      const start = i === 0 ? paint("quiet", name.padEnd(nameWidth)) + GAP : indent;
      return start + paint(warns ? "warning" : "plain", line);
    }),
  );
}

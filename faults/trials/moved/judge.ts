/** What must be true of a moved unit: by its ledger, and by what each file holds in the end. */
import { added, differenceOf, type Sums } from "../../remote/host.ts";

export interface Seen {
  readonly scenario: string;
  /** The codes by which the first save may tell it; none where there was nothing to tell. */
  readonly codes: readonly string[];
  readonly moment: "counting" | "flush" | "close";
  /** What the first save after it said. */
  readonly first: string | null;
  /** What stood in memory then. */
  readonly memory: Sums;
  /** The ledger: all that was counted, and what of it was acknowledged before the file was moved. */
  readonly counted: Sums;
  readonly acknowledged: Sums;
  readonly closed: string | null;
  readonly problems: readonly (string | null)[];
  /** Whether what was put in its place is as it was; null where that is not asked. */
  readonly untouched: boolean | null;
  readonly files: Readonly<
    Record<string, { readonly sums: Sums; readonly problem: string | null; readonly integrity: string }>
  >;
}

export function problemsOf(seen: Seen): string[] {
  const { scenario, moment, codes, closed, files } = seen;
  // Where it saves by itself, that may have been a moment before it was asked to.
  const first = seen.problems.find((code) => code !== null) ?? seen.first;
  const problems: string[] = [];
  const expect = (holds: boolean, otherwise: string) => {
    if (!holds) problems.push(`${scenario}, at ${moment}: ${otherwise}`);
  };
  const told = first === null ? codes.length === 0 : codes.includes(first);
  // One that ends has no later save that could tell: there it must have kept everything, or have said that it did not.
  expect(moment === "close" || told, `the first save said ${first ?? "nothing"}, instead of ${codes.join(" or ")}`);
  expect(seen.untouched !== false, "what was put in its place was changed");
  expect(moment === "close" || closed === null, `the last save said ${closed}`);
  for (const [name, { problem, integrity }] of Object.entries(files)) {
    expect(problem === null, `the ${name} file cannot be read: ${problem}`);
    expect(problem !== null || integrity === "ok", `the ${name} file is damaged: ${integrity}`);
  }
  const kept = added(...Object.values(files).map(({ sums }) => sums));
  if (closed === null) {
    const difference = differenceOf(kept, seen.counted);
    expect(difference === null, `not what was counted: ${difference}`);
  } else {
    const lost = [...seen.acknowledged].filter(([name, n]) => (kept.get(name) ?? 0) < n);
    expect(lost.length === 0, `${lost.length} sums that were acknowledged are lost`);
    const doubled = [...kept].filter(([name, n]) => n > (seen.counted.get(name) ?? 0));
    expect(doubled.length === 0, `${doubled.length} sums are more than was counted`);
    const memory = differenceOf(seen.memory, seen.counted);
    expect(memory === null, `memory was not kept: ${memory}`);
  }
  return problems;
}

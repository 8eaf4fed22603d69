/** What must be true of an erase unit, whatever its history was. Looks at files and sums only. */
import type { History, Sums } from "./history.ts";
import type { Found } from "./needles.ts";

/** An image of before the acknowledgement, as it is read after the crash. */
export interface Image {
  readonly sums: Sums;
  /** After the next start on it. */
  readonly next: { readonly sums: Sums; readonly found: Found };
}

/** What was seen of one unit. */
export interface Seen {
  readonly history: Pick<History, "victim" | "crowded" | "held" | "steps">;
  readonly expected: { readonly whole: Sums; readonly gone: Sums };
  readonly before: Found;
  /** What the library said. */
  readonly erased: string;
  readonly images: readonly Image[];
  /** Every image of before the acknowledgement, decrypted: it may hold the user still. */
  readonly between: readonly Found[];
  /** After the acknowledgement: at once, while counts come late, after them, while it ends, after the end. */
  readonly after: readonly Found[];
  /** After another start and end. */
  readonly last: { readonly problem: string | null; readonly sums: Sums; readonly found: Found };
  /** In how many pages a server of the user stands when the deletion is done without what erases. */
  readonly controls: {
    readonly withoutCheckpoint: number;
    readonly withoutRewriting: number;
    readonly withSecureDelete: number;
  } | null;
}

/** Each broken promise, in a sentence. */
export function problemsOf(seen: Seen): string[] {
  const { before, after, images, last, expected, history } = seen;
  const problems: string[] = [];
  const expect = (holds: boolean, otherwise: string) => {
    if (!holds) problems.push(otherwise);
  };
  expect(before.servers > 0, "the control before the deletion found no server: the search proves nothing");
  expect(before.user > 0, "the control before the deletion did not find the user: the search proves nothing");
  expect(seen.erased === "physically" || history.held || history.crowded, `it was ${seen.erased} with nobody reading`);
  expect(!history.held || seen.erased === "pending", `it was ${seen.erased} although a reader held the file`);
  for (const [index, found] of after.entries()) {
    expect(found.servers === 0, `${found.servers} pages hold servers after the acknowledgement (look ${index + 1})`);
    // Where others have not heard of the deletion yet, the database must be able to tell them of whom.
    expect(history.crowded || found.user === 0, `${found.user} pages hold the user (look ${index + 1})`);
  }
  for (const image of images) problems.push(...problemsOfImage(image, expected, history));
  expect(last.problem === null, `the next start failed: ${last.problem}`);
  expect(last.found.servers === 0, `${last.found.servers} pages hold servers after the next start`);
  expect(last.found.user === 0, `${last.found.user} pages hold the user after the next start`);
  problems.push(...differences("in the end", last.sums, expected.gone));
  return problems;
}

function problemsOfImage(image: Image, { whole, gone }: Seen["expected"], history: Seen["history"]): string[] {
  const problems = problemsOfCrash("a crash", image.sums, whole, gone, history.victim);
  const { sums, found } = image.next;
  problems.push(...problemsOfCrash("the start after a crash", sums, whole, gone, history.victim));
  const isGone = !holdsUser(sums, history.victim);
  if (isGone && found.servers > 0) problems.push(`a crash left servers in ${found.servers} pages after the next start`);
  if (isGone && found.user > 0) problems.push(`a crash left the user in ${found.user} pages after the next start`);
  return problems;
}

/** Either all of the user is there or nothing, and everybody else is as before. */
function problemsOfCrash(when: string, sums: Sums, whole: Sums, gone: Sums, victim: string | number): string[] {
  const expected = holdsUser(sums, victim) ? whole : gone;
  return differences(`after ${when}`, sums, expected);
}

function holdsUser(sums: Sums, victim: string | number): boolean {
  return [...sums.keys()].some((name) => isOf(name, String(victim)) && !isCrowd(name));
}

const isOf = (name: string, userId: string) => (JSON.parse(name) as string[])[0] === userId;
/** What goes on being counted while images are taken, or comes after them. */
const isCrowd = (name: string) => /-crowd\.example|-later\.example/.test(name);

function differences(when: string, found: Sums, expected: Sums): string[] {
  const names = new Set([...found.keys(), ...expected.keys()]);
  // In an image nobody can tell how far the other process had counted.
  const judged = [...names].filter((name) => when === "in the end" || !isCrowd(name));
  const wrong = judged.filter((name) => (found.get(name) ?? 0) !== (expected.get(name) ?? 0));
  if (wrong.length === 0) return [];
  const [first = ""] = wrong;
  return [
    `${wrong.length} sums are wrong ${when}: the first is ${found.get(first) ?? 0} and should be ${expected.get(first) ?? 0}`,
  ];
}

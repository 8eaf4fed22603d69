import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import { DRIVERS } from "../../oracle/drivers.ts";
import { servePart } from "../../parts.ts";
import { type Random, randomOf, seedOfUnit } from "../../random.ts";
import type { Image } from "../../replay/disk.ts";
import { digestOf, putImage } from "../../replay/image.ts";
import { type Base, makeHistory } from "./bases.ts";
import { DAMAGES, type Others } from "./damages.ts";
import { type Expected, judge, judgePlain, type Outcome, type Verdict } from "./judge.ts";
import type { MakerOrder } from "./maker.child.ts";
import { useTools } from "./tools.ts";

export interface PartJob {
  readonly seed: number;
  readonly images: number;
  /** Where some images are left, to be searched for names and keys in the open. */
  readonly folder: string;
  /** The control: the same on files without encryption, whose pages nothing authenticates. */
  readonly plain: boolean;
}

export interface PartResult {
  readonly ran: number;
  readonly bases: number;
  /** One of a reader and one of a writer for each image. */
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Images that `verifyFile` and `salvageFile` were tried on. */
  readonly tools: number;
  readonly salvaged: number;
  readonly failures: readonly { readonly seed: number; readonly what: string }[];
}

const MOST_IMAGES_A_HISTORY = 400;
const HISTORIES_AT_LEAST = 4;
/** The tools look at a file again and again, in case others write to it: too long for every image. */
const TOOLS_PERCENT = 3;
const MOST_FAILURES = 20;

const WRONG: ReadonlySet<Outcome> = new Set(["wrong", "broke", "changed"]);

servePart<PartJob, PartResult>(async (job, progress) => {
  const part = new DamagePart(job);
  const scratch = mkdtempSync(join(job.folder, "part-"));
  try {
    await part.run(scratch, progress);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return part.result();
});

class DamagePart {
  readonly #job: PartJob;
  readonly #outcomes = { latest: 0, earlier: 0, refused: 0, wrong: 0, broke: 0, changed: 0 };
  readonly #failures: { seed: number; what: string }[] = [];
  #ran = 0;
  #bases = 0;
  #tools = 0;
  #salvaged = 0;

  constructor(job: PartJob) {
    this.#job = job;
  }

  async run(scratch: string, progress: (done: number) => void): Promise<void> {
    const { seed: first, images, plain } = this.#job;
    const most = Math.min(MOST_IMAGES_A_HISTORY, Math.ceil(images / HISTORIES_AT_LEAST));
    let strangers = makeHistory(orderOf(join(scratch, "first"), seedOfUnit(first, -1), plain));
    for (let unit = 0; this.#ran < images; unit++) {
      const seed = seedOfUnit(first, unit);
      const folder = join(scratch, String(seed));
      const order = orderOf(folder, seed, plain);
      const history = makeHistory(order);
      this.#bases += history.length;
      const random = randomOf(seed);
      for (const damaged of damagedImages(history, strangers, { random, most, driver: order.driver })) {
        if (this.#ran === images) break;
        await this.#try({ ...damaged, seed, folder: join(scratch, "image"), withTools: random.percent(TOOLS_PERCENT) });
        if (this.#ran % 50 === 0) progress(this.#ran);
      }
      strangers = history;
      rmSync(folder, { recursive: true });
    }
  }

  async #try({ image, name, expected, seed, folder, withTools }: Attempt): Promise<void> {
    this.#ran += 1;
    const fail = (what: string) => this.#failures.push({ seed, what: `${name}: ${what}` });
    const verdicts = this.#job.plain
      ? [await judgePlain(folder, image, expected)]
      : await judge(folder, image, expected);
    for (const [index, { outcome, what }] of verdicts.entries()) {
      this.#outcomes[outcome] += 1;
      if (WRONG.has(outcome)) fail(`a ${index === 0 ? "reader" : "writer"}: ${outcome}: ${what}`);
    }
    // What is not encrypted is no file of ours, and is not to be found by whoever searches for names afterwards.
    if (!withTools || this.#job.plain || !isRefused(verdicts)) return;
    this.#tools += 1;
    putImage(join(this.#job.folder, `${seed}-${this.#ran}`), image);
    const { problem, salvaged } = await useTools(folder, image, expected);
    if (salvaged) this.#salvaged += 1;
    if (problem !== null) fail(problem);
  }

  result(): PartResult {
    return {
      ran: this.#ran,
      bases: this.#bases,
      outcomes: this.#outcomes,
      tools: this.#tools,
      salvaged: this.#salvaged,
      failures: this.#failures.slice(0, MOST_FAILURES),
    };
  }
}

interface Damaged {
  readonly image: Image;
  readonly name: string;
  readonly expected: Expected;
}

interface Attempt extends Damaged {
  readonly seed: number;
  readonly folder: string;
  readonly withTools: boolean;
}

/** By its seed, so that the same seed repeats the same history. */
function orderOf(folder: string, seed: number, plain: boolean): MakerOrder {
  return { folder, seed, driver: DRIVERS[seed % DRIVERS.length] as DriverName, plain };
}

const isRefused = (verdicts: readonly Verdict[]) => verdicts.every(({ outcome }) => outcome === "refused");

/** Damaged images, each unlike all others of this history. */
function* damagedImages(
  history: readonly Base[],
  strangers: readonly Base[],
  { random, most, driver }: { readonly random: Random; readonly most: number; readonly driver: DriverName },
): Generator<Damaged> {
  const made = new Set<string>();
  const states = history.at(-1)?.earlier ?? new Set<string>();
  for (let i = 0; i < most; i++) {
    const at = random.whole(0, history.length - 1);
    const base = history[at] as Base;
    const others: Others = {
      older: history.slice(0, at).map(({ image }) => image),
      newer: history.slice(at + 1).map(({ image }) => image),
      strangers: strangers.map(({ image }) => image),
    };
    const damage = random.pick(DAMAGES);
    const image = damage.make(base.image, random, others);
    const digest = image && digestOf(image);
    if (!image || !digest || made.has(digest)) continue;
    made.add(digest);
    yield { image, name: damage.name, expected: { latest: base.latest, states, driver } };
  }
}

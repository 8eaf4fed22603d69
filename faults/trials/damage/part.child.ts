import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import { removeSearched } from "../../oracle/canary.ts";
import { DRIVERS } from "../../oracle/drivers.ts";
import { servePart } from "../../parts.ts";
import { randomOf, seedOfUnit } from "../../random.ts";
import type { Image } from "../../replay/disk.ts";
import { digestOf, putImage } from "../../replay/image.ts";
import type { Failure } from "../../trial.ts";
import { type Base, type BaseHistory, IMAGES_A_HISTORY, makeHistory } from "./bases.ts";
import { DAMAGES, type Others } from "./damages.ts";
import {
  type Expected,
  honestOf,
  judge,
  judgeBeginner,
  judgeMover,
  judgePlain,
  type Outcome,
  type Verdict,
} from "./judge.ts";
import type { MakerOrder } from "./maker.child.ts";
import { isBelow, useTools } from "./tools.ts";

export interface PartJob {
  /** Of its first history; the next one has the next seed. */
  readonly seed: number;
  readonly images: number;
  /** Where some images are left, to be searched for names and keys in the open. */
  readonly folder: string;
  /** A control: files without encryption, whose pages nothing authenticates; a writer who begins anew if refused. */
  readonly control?: "plain" | "begins anew";
}

export interface PartResult {
  readonly ran: number;
  readonly bases: number;
  /** One of a reader and one of a writer for each image, and one of a writer who has files moved aside for some. */
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Images that were opened by a writer who has damaged files moved aside. */
  readonly movers: number;
  readonly pagesBack: PagesBack;
  /** Images that `verifyFile` and `salvageFile` were tried on. */
  readonly tools: number;
  readonly salvaged: number;
  readonly failures: readonly Failure[];
}

/** Images in which one page is of an older state: the format cannot tell, so they are counted apart. */
export interface PagesBack {
  readonly images: number;
  /** A reader or a writer was shown what never was. */
  readonly unseen: number;
  /** The same, and a counter was above the most that it ever was. */
  readonly tooHigh: number;
  /** A writer was refused after it had written already: other pages contradict that one, and every page is proven. */
  readonly refusedLate: number;
}

/** Most damages can be done to most files, and few are done twice: so often is tried, at most, for each image. */
const TRIES_AN_IMAGE = 8;
/** Whoever examines a file looks at it again and again, in case others write to it: too long for every image. */
const TOOLS_PERCENT = 3;
const MOVERS_PERCENT = 8;
const MOST_FAILURES = 20;

const WRONG: ReadonlySet<Outcome> = new Set(["wrong", "broke", "changed"]);
const WHO = ["a reader", "a writer", "a writer who has files moved aside"];

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
  readonly #outcomes = { latest: 0, earlier: 0, refused: 0, movedAside: 0, wrong: 0, broke: 0, changed: 0 };
  readonly #pagesBack = { images: 0, unseen: 0, tooHigh: 0, refusedLate: 0 };
  readonly #failures: Failure[] = [];
  #ran = 0;
  #bases = 0;
  #movers = 0;
  #tools = 0;
  #salvaged = 0;

  constructor(job: PartJob) {
    this.#job = job;
  }

  async run(scratch: string, progress: (done: number) => void): Promise<void> {
    const { seed: first, images, control } = this.#job;
    const plain = control === "plain";
    const before = seedOfUnit(first, -1);
    let strangers = makeHistory(orderOf(join(scratch, String(before)), before, plain));
    for (let unit = 0; this.#ran < images; unit++) {
      const seed = seedOfUnit(first, unit);
      const folder = join(scratch, String(seed));
      const order = orderOf(folder, seed, plain);
      const history = makeHistory(order);
      this.#bases += history.bases.length;
      const most = Math.min(IMAGES_A_HISTORY, images - this.#ran);
      for (const damaged of damagedImages(history, strangers, { seed, most, driver: order.driver })) {
        this.#ran += 1;
        await this.#try({ ...damaged, seed, folder: join(scratch, "image") });
        if (this.#ran % 50 === 0) progress(this.#ran);
      }
      strangers = history;
      // What is not encrypted is no file of ours.
      if (plain) rmSync(folder, { recursive: true });
      else removeSearched(folder);
    }
  }

  async #try(attempt: Attempt): Promise<void> {
    const { name, seed, count } = attempt;
    const fail = (what: string) => this.#failures.push({ seed, count, what: `${name}: ${what}` });
    const verdicts = await this.#verdicts(attempt);
    if (attempt.isBeyondProof && this.#job.control === undefined) return this.#countPageBack(attempt, verdicts, fail);
    for (const [index, { outcome, what }] of verdicts.entries()) {
      this.#outcomes[outcome] += 1;
      if (WRONG.has(outcome)) fail(`${WHO[index]}: ${outcome}: ${what}`);
    }
    // Of files without encryption nothing is left to whoever searches for names afterwards.
    if (this.#job.control !== undefined || !attempt.withTools || !isRefused(verdicts)) return;
    await this.#useTools(attempt, fail);
  }

  async #verdicts({ folder, image, expected, withMover }: Attempt): Promise<readonly Verdict[]> {
    if (this.#job.control === "plain") return [await judgePlain(folder, image, expected)];
    if (this.#job.control === "begins anew") {
      const verdict = await judgeBeginner(folder, image, expected);
      return verdict ? [verdict] : [];
    }
    const verdicts = await judge(folder, image, expected);
    if (!withMover) return verdicts;
    this.#movers += 1;
    return [...verdicts, await judgeMover(folder, image, expected)];
  }

  #countPageBack({ expected }: Attempt, verdicts: readonly Verdict[], fail: (what: string) => void): void {
    const wrong = verdicts.filter(({ outcome }) => outcome === "wrong");
    const back = this.#pagesBack;
    back.images += 1;
    if (wrong.length > 0) back.unseen += 1;
    if (wrong.some(({ state }) => state && !isBelow(state, expected.states))) back.tooHigh += 1;
    for (const [index, { outcome, what }] of verdicts.entries()) {
      if (index > 0 && outcome === "changed") back.refusedLate += 1;
      else if (outcome === "broke" || outcome === "changed") fail(`${WHO[index]}: ${outcome}: ${what}`);
    }
  }

  async #useTools({ image, folder, expected, seed, count }: Attempt, fail: (what: string) => void): Promise<void> {
    this.#tools += 1;
    putImage(join(this.#job.folder, `${seed}-${count}`), image);
    const { problem, salvaged } = await useTools(folder, image, expected);
    if (salvaged) this.#salvaged += 1;
    if (problem !== null) fail(problem);
  }

  result(): PartResult {
    return {
      ran: this.#ran,
      bases: this.#bases,
      outcomes: this.#outcomes,
      movers: this.#movers,
      pagesBack: this.#pagesBack,
      tools: this.#tools,
      salvaged: this.#salvaged,
      failures: this.#failures.slice(0, MOST_FAILURES),
    };
  }
}

interface Damaged {
  readonly image: Image;
  readonly name: string;
  readonly isBeyondProof: boolean;
  readonly expected: Expected;
  /** It is so manieth of its history. */
  readonly count: number;
  readonly withTools: boolean;
  readonly withMover: boolean;
}

interface Attempt extends Damaged {
  readonly seed: number;
  readonly folder: string;
}

/** By its seed, so that the same seed repeats the same history. */
function orderOf(folder: string, seed: number, plain: boolean): MakerOrder {
  return { folder, seed, driver: DRIVERS[seed % DRIVERS.length] as DriverName, plain };
}

const isRefused = (verdicts: readonly Verdict[]) =>
  verdicts.every(({ outcome }) => outcome === "refused" || outcome === "movedAside");

interface Draw {
  readonly seed: number;
  readonly most: number;
  readonly driver: DriverName;
}

/** Damaged images, each unlike all others of this history. What is drawn depends on the seed alone. */
function* damagedImages(history: BaseHistory, strangers: BaseHistory, draw: Draw): Generator<Damaged> {
  const random = randomOf(draw.seed);
  const made = new Set<string>();
  for (let tries = IMAGES_A_HISTORY * TRIES_AN_IMAGE; tries > 0 && made.size < draw.most; tries--) {
    const at = random.whole(0, history.bases.length - 1);
    const damage = random.pick(DAMAGES);
    const image = damage.make((history.bases[at] as Base).image, random, othersOf(history, at, strangers));
    const [withTools, withMover] = [random.percent(TOOLS_PERCENT), random.percent(MOVERS_PERCENT)];
    const digest = image && digestOf(image);
    if (!image || !digest || made.has(digest)) continue;
    made.add(digest);
    const { latest } = history.bases[at] as Base;
    yield {
      image,
      name: damage.name,
      isBeyondProof: damage.isBeyondProof === true,
      expected: { latest, honest: honestOf(image, history), states: history.states, driver: draw.driver },
      count: made.size,
      withTools,
      withMover,
    };
  }
}

function othersOf({ bases }: BaseHistory, at: number, strangers: BaseHistory): Others {
  const imagesOf = (some: readonly Base[]) => some.map(({ image }) => image);
  return {
    older: imagesOf(bases.slice(0, at)),
    newer: imagesOf(bases.slice(at + 1)),
    strangers: imagesOf(strangers.bases),
  };
}

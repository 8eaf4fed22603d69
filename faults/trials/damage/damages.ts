import type { Random } from "../../random.ts";
import { garbage, shuffled } from "../../replay/chance.ts";
import type { Image } from "../../replay/disk.ts";

export const DB = "stats.db";
export const WAL = "stats.db-wal";
const PAGE = 4_096;
const WAL_HEADER = 32;
const FRAME = 24 + PAGE;

/** Where an image can take something from: the same history at other moments, and another history. */
export interface Others {
  readonly older: readonly Image[];
  readonly newer: readonly Image[];
  readonly strangers: readonly Image[];
}

export interface Damage {
  readonly name: string;
  /** Nothing in SQLCipher's format tells of it: what is shown then may be wrong. */
  readonly isBeyondProof?: true;
  /** Null where it cannot be done to this image. */
  make(image: Image, random: Random, others: Others): Image | null;
}

type Change = (bytes: Buffer, random: Random) => Buffer | null;

const somewhere = (bytes: Buffer, random: Random) => random.whole(0, bytes.length - 1);

const changed = (bytes: Buffer, change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
};

const flip: Change = (bytes, random) =>
  changed(bytes, (copy) => {
    for (let times = random.pick([1, 1, 1, 2, 20]); times > 0; times--) {
      const at = somewhere(copy, random);
      copy[at] = (copy[at] as number) ^ (1 << random.whole(0, 7));
    }
  });

/** A part of random length, or one page of it, exactly. */
function part(bytes: Buffer, random: Random): readonly [from: number, to: number] {
  if (random.percent(50) && bytes.length >= PAGE) {
    const from = random.whole(0, Math.floor(bytes.length / PAGE) - 1) * PAGE;
    return [from, from + PAGE];
  }
  const from = somewhere(bytes, random);
  return [from, Math.min(bytes.length, from + random.pick([1, 16, 512, 5_000, bytes.length]))];
}

const zeroes: Change = (bytes, random) => changed(bytes, (copy) => copy.fill(0, ...part(copy, random)));

const random: Change = (bytes, random) =>
  changed(bytes, (copy) => {
    const [from, to] = part(copy, random);
    garbage(to - from, random).copy(copy, from);
  });

/** Every class of length: nothing, less than a header, at the border of a sector, page or frame, one byte off it. */
const cut: Change = (bytes, random) => {
  const border = random.pick([1, 512, PAGE, PAGE, FRAME]);
  const at = Math.floor(somewhere(bytes, random) / border) * border + random.pick([0, 0, 0, -1, 1, WAL_HEADER]);
  const length = random.pick([0, 1, 16, 31, 32, 100, bytes.length - 1, at, at, at, at, at]);
  return length >= 0 && length < bytes.length ? bytes.subarray(0, length) : null;
};

const longer: Change = (bytes, random) => {
  const more = random.pick([1, 512, PAGE, FRAME, 3 * PAGE]);
  return Buffer.concat([bytes, random.percent(50) ? Buffer.alloc(more) : garbage(more, random)]);
};

const twoPages = (bytes: Buffer, random: Random): readonly [number, number] | null => {
  const pages = Math.floor(bytes.length / PAGE);
  if (pages < 2) return null;
  const [a = 0, b = 0] = shuffled(
    Array.from({ length: pages }, (_, page) => page),
    random,
  );
  return [a * PAGE, b * PAGE];
};

const swapped: Change = (bytes, random) => {
  const two = twoPages(bytes, random);
  return (
    two &&
    changed(bytes, (copy) => {
      bytes.copy(copy, two[0], two[1], two[1] + PAGE);
      bytes.copy(copy, two[1], two[0], two[0] + PAGE);
    })
  );
};

const doubled: Change = (bytes, random) => {
  const two = twoPages(bytes, random);
  return two && changed(bytes, (copy) => void bytes.copy(copy, two[0], two[1], two[1] + PAGE));
};

/** Two whole frames of a WAL exchanged. */
const framesSwapped: Change = (bytes, random) => {
  const frames = Math.floor((bytes.length - WAL_HEADER) / FRAME);
  if (frames < 2) return null;
  const [a, b] = [random.whole(0, frames - 1), random.whole(0, frames - 1)].map((n) => WAL_HEADER + n * FRAME) as [
    number,
    number,
  ];
  return a === b
    ? null
    : changed(bytes, (copy) => {
        bytes.copy(copy, a, b, b + FRAME);
        bytes.copy(copy, b, a, a + FRAME);
      });
};

function inFile(name: string, file: string, change: Change): Damage {
  return {
    name,
    make(image, random) {
      const bytes = image.get(file);
      const now = bytes && bytes.length > 0 ? change(bytes, random) : null;
      return now && !now.equals(bytes as Buffer) ? new Map([...image, [file, now]]) : null;
    },
  };
}

const without = (image: Image, file: string): Image => new Map([...image].filter(([name]) => name !== file));

/** One file of another image in the place of this one's. */
function exchanged(name: string, file: string, from: keyof Others): Damage {
  return {
    name,
    make(image, random, others) {
      const all = others[from].flatMap((other) => other.get(file) ?? []).filter((bytes) => bytes.length > 0);
      return all.length > 0 ? new Map([...image, [file, random.pick(all)]]) : null;
    },
  };
}

/** A page is proven to stand where it belongs, and not to be of the same moment as its neighbours. */
const pageBack: Damage = {
  name: "one page of an older state",
  isBeyondProof: true,
  make(image, random, { older }) {
    const now = image.get(DB);
    const all = older.flatMap((other) => other.get(DB) ?? []);
    if (!now || all.length === 0) return null;
    const then = random.pick(all);
    const pageOf = (bytes: Buffer, page: number) => bytes.subarray(page * PAGE, (page + 1) * PAGE);
    const pages = Array.from({ length: Math.floor(Math.min(now.length, then.length) / PAGE) }, (_, page) => page);
    const unlike = pages.filter((page) => !pageOf(now, page).equals(pageOf(then, page)));
    if (unlike.length === 0) return null;
    const page = random.pick(unlike);
    return new Map([...image, [DB, changed(now, (copy) => void pageOf(then, page).copy(copy, page * PAGE))]]);
  },
};

export const DAMAGES: readonly Damage[] = [
  inFile("bits flipped in the file", DB, flip),
  inFile("the file cut", DB, cut),
  inFile("zeroes in the file", DB, zeroes),
  inFile("garbage in the file", DB, random),
  inFile("more at the end of the file", DB, longer),
  inFile("pages swapped", DB, swapped),
  inFile("a page doubled", DB, doubled),
  inFile("the whole file garbage", DB, (bytes, random) => garbage(bytes.length, random)),
  inFile("the file emptied", DB, () => Buffer.alloc(0)),
  { name: "the file gone, its WAL not", make: (image) => (image.has(WAL) ? without(image, DB) : null) },
  inFile("bits flipped in the WAL", WAL, flip),
  inFile("the WAL cut", WAL, cut),
  inFile("zeroes in the WAL", WAL, zeroes),
  inFile("garbage in the WAL", WAL, random),
  inFile("more at the end of the WAL", WAL, longer),
  inFile("frames swapped in the WAL", WAL, framesSwapped),
  { name: "the WAL gone", make: (image) => (image.has(WAL) ? without(image, WAL) : null) },
  exchanged("the WAL of an older state", WAL, "older"),
  exchanged("the WAL of a newer state", WAL, "newer"),
  exchanged("the WAL of another file", WAL, "strangers"),
  exchanged("the file of an older state under its WAL", DB, "older"),
  pageBack,
];

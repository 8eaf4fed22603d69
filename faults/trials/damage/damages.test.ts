import { describe, expect, test } from "vitest";
import { randomOf } from "../../random.ts";
import type { Image } from "../../replay/disk.ts";
import { digestOf } from "../../replay/image.ts";
import { DAMAGES, DB, type Others, WAL } from "./damages.ts";
import { isBelow } from "./tools.ts";

const PAGE = 4_096;
const FRAME = PAGE + 24;

/** Pages that are all unlike each other. */
function imageOf(pages: number, frames: number, first = 0): Image {
  const db = Buffer.alloc(pages * PAGE);
  for (let at = 0; at < db.length; at++) db[at] = 1 + first + (Math.floor(at / PAGE) % 200);
  const wal = Buffer.alloc(32 + frames * FRAME);
  for (let at = 0; at < wal.length; at++) wal[at] = 100 + first + (Math.floor(at / FRAME) % 100);
  return new Map(
    frames > 0
      ? [
          [DB, db],
          [WAL, wal],
        ]
      : [[DB, db]],
  );
}

const image = imageOf(5, 4);
const others: Others = { older: [imageOf(4, 2, 1)], newer: [imageOf(6, 3, 2)], strangers: [imageOf(5, 5, 3)] };

function all(name: string, of: Image = image): Image[] {
  const damage = DAMAGES.find((each) => each.name === name);
  const random = randomOf(1);
  return Array.from({ length: 300 }, () => damage?.make(of, random, others) ?? null).filter((each) => each !== null);
}

describe("a damage", () => {
  test.each(DAMAGES.map(({ name }) => name))("%s: makes another image, and leaves the good one as it is", (name) => {
    const before = digestOf(image);
    const made = all(name);
    expect(made.length).toBeGreaterThan(100);
    for (const each of made) expect(digestOf(each)).not.toBe(before);
    expect(digestOf(image)).toBe(before);
  });

  test("to a WAL needs one", () => {
    const closed = imageOf(5, 0);
    for (const name of ["bits flipped in the WAL", "the WAL cut", "the WAL gone"])
      expect(all(name, closed)).toEqual([]);
  });

  test("cuts at every class of length", () => {
    const lengths = new Set(all("the file cut").map((each) => (each.get(DB) as Buffer).length));
    for (const length of [0, 1, 16, 5 * PAGE - 1]) expect(lengths).toContain(length);
    expect([...lengths].some((length) => length > 0 && length % PAGE === 0)).toBe(true);
    expect([...lengths].some((length) => length % PAGE === 1)).toBe(true);
  });

  test("swaps and doubles whole pages", () => {
    for (const each of all("pages swapped")) {
      const marks = Array.from({ length: 5 }, (_, page) => (each.get(DB) as Buffer)[page * PAGE]);
      expect([...marks].sort()).toEqual([1, 2, 3, 4, 5]);
    }
    for (const each of all("a page doubled")) {
      const marks = new Set(Array.from({ length: 5 }, (_, page) => (each.get(DB) as Buffer)[page * PAGE]));
      expect(marks.size).toBe(4);
    }
  });
});

test("what was salvaged is below what was once saved, counter by counter", () => {
  const states = new Set(["a|b|c=5\nd|e|f=1", "a|b|c=2\nd|e|f=3"]);
  expect(
    isBelow(
      new Map([
        ["a|b|c", 5],
        ["d|e|f", 3],
      ]),
      states,
    ),
  ).toBe(true);
  expect(isBelow(new Map([["a|b|c", 6]]), states)).toBe(false);
  expect(isBelow(new Map([["x|y|z", 1]]), states)).toBe(false);
});

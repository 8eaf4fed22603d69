import { expect, test } from "vitest";
import { inParallel } from "./parallel.ts";
import { randomOf, seedOfUnit } from "./random.ts";

const drawn = (seed: number) => {
  const random = randomOf(seed);
  return Array.from({ length: 20 }, () => random.whole(1, 1_000));
};

test("a seed gives the same numbers again, and its neighbour others", () => {
  expect(drawn(7)).toEqual(drawn(7));
  expect(drawn(7)).not.toEqual(drawn(8));
  const firsts = Array.from({ length: 1_000 }, (_, n) => randomOf(seedOfUnit(2 ** 32 - 500, n)).next());
  expect(new Set(firsts).size).toBe(1_000);
  expect(firsts.reduce((sum, each) => sum + each, 0) / 1_000).toBeCloseTo(0.5, 1);
});

test("whole numbers reach both ends, and nothing beyond", () => {
  const random = randomOf(1);
  const seen = new Set(Array.from({ length: 500 }, () => random.whole(3, 6)));
  expect([...seen].sort()).toEqual([3, 4, 5, 6]);
});

test("the first unit has the trial's own seed, so that it can be repeated", () => {
  expect(seedOfUnit(99, 0)).toBe(99);
  expect(seedOfUnit(99, 3)).toBe(102);
});

test("work is done for each, so many at a time, and what fails is thrown", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await inParallel([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running -= 1;
    done.push(item);
  });
  expect([most, done.length]).toEqual([2, 5]);
  await expect(inParallel([1], 2, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
});

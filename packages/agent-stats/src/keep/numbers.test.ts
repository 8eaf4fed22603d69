import fc from "fast-check";
import { expect, test } from "vitest";
import { copy, inOrder, Numbers, nextDifference } from "./numbers.ts";

test("numbers are held in the order in which they came, however much room there was", () => {
  const n = fc.integer({ min: 1, max: 99 });
  const step = fc.oneof(
    fc.record({ add: n }),
    fc.record({ add3: fc.tuple(n, n, n) }),
    fc.record({ zeros: fc.nat(9) }),
    fc.record({ append: fc.array(n, { maxLength: 9 }), at: fc.nat(3) }),
  );
  fc.assert(
    fc.property(fc.nat(8), fc.array(step, { maxLength: 40 }), (room, steps) => {
      const numbers = new Numbers(room);
      const model: number[] = [];
      for (const each of steps) {
        if ("add" in each) {
          numbers.add(each.add);
          model.push(each.add);
        } else if ("add3" in each) {
          numbers.add3(...each.add3);
          model.push(...each.add3);
        } else if ("zeros" in each) {
          numbers.addZeros(each.zeros);
          model.push(...Array<number>(each.zeros).fill(0));
        } else {
          const cells = Float64Array.from([...Array<number>(each.at).fill(-1), ...each.append, -1]);
          numbers.append({ cells, at: each.at }, each.append.length);
          model.push(...each.append);
        }
        expect(numbers.length).toBe(model.length);
      }
      expect([...numbers.taken()]).toEqual(model);
    }),
  );
});

test("what is copied is that many, from one place to the other, and nothing beside", () => {
  const from = { cells: Float64Array.of(1, 2, 3, 4, 5), at: 1 };
  const to = { cells: new Float64Array(6), at: 2 };
  copy(from, to, 3);
  expect([...to.cells]).toEqual([0, 0, 2, 3, 4, 0]);
});

test("numbers are brought in order, each once", () => {
  const some = fc.uniqueArray(fc.nat(200), { maxLength: 60 });
  fc.assert(
    fc.property(some, fc.nat(40), (numbers, more) => {
      const below = Math.max(-1, ...numbers) + 1 + more;
      const ordered = inOrder(
        numbers.map((number) => ({ number })),
        below,
      );
      expect([...ordered]).toEqual([...numbers].sort((a, b) => a - b));
    }),
  );
});

test("the first difference of two lists is found, wherever it is, and the end where there is none", () => {
  const list = fc.array(fc.nat(1), { minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(list, list, fc.nat(12), fc.nat(12), fc.nat(3), (one, two, a, b, shift) => {
      const [at, end] = [Math.min(a, b), Math.max(a, b)];
      const other = Float64Array.from([...Array<number>(shift).fill(7), ...two]);
      const found = one.findIndex((value, i) => i >= at && i < end && value !== two[i]);
      const expected = found === -1 ? end : found;
      expect(nextDifference(Float64Array.from(one), other, at, shift, end)).toBe(expected);
    }),
  );
  // Long runs that are alike are rare among random ones.
  const same = Float64Array.from({ length: 40 }, (_, i) => i);
  for (let place = 0; place < 40; place++) {
    const changed = Float64Array.from(same);
    changed[place] = -1;
    for (const from of [0, 1, 2, 3]) {
      expect(nextDifference(same, changed, from, 0, 40)).toBe(place < from ? 40 : place);
      expect(nextDifference(same, changed, from, 0, place)).toBe(Math.max(place, from));
    }
  }
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { carry, copy, forEachCell, Numbers } from "./numbers.ts";

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

test("each cell of a batch is visited once", () => {
  const visits: number[][] = [];
  forEachCell(Float64Array.of(4, 1, 10, 5, 2, 20), (...visit) => visits.push(visit));
  expect(visits).toEqual([
    [4, 1, 10, 0],
    [5, 2, 20, 1],
  ]);
  forEachCell(new Float64Array(0), (...visit) => visits.push(visit));
  expect(visits).toHaveLength(2);
});

test("a counter that was set back takes what it stood at off where its hour began, and off no other's", () => {
  const place = { cells: Float64Array.of(1, 20, 30, 40), at: 1 };
  expect(carry(place, 2, 7)).toBe(0);
  expect([...place.cells]).toEqual([1, 20, 30, 33]);
});

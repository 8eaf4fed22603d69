/** Every public function, called rightly but for one thing: an error of the library's own that says so, or nothing. */
import { join } from "node:path";
import fc from "fast-check";
import { COUNTING, KEEPING } from "./doors.ts";
import { SIMPLEX, TELLING } from "./doors-telling.ts";
import { anything, checked, type Fuzz } from "./fuzz.ts";
import { expectTyped, folderOf } from "./typed.ts";
import { type Door, worldIn } from "./world.ts";

export const DOORS = [...COUNTING, ...KEEPING, ...TELLING, ...SIMPLEX];

/** Which of what is given is another thing: an argument, or a field of one. */
const change = fc.record({
  at: fc.nat(DOORS.length - 1),
  argument: fc.nat(2),
  /** Of the argument's fields, counted round; null: the argument itself. */
  field: fc.option(fc.nat(12)),
  given: anything,
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** These are paths: what stands there is read, moved or made. */
const PATHS = new Set(["file", "from", "to"]);

function changed(good: readonly unknown[], { argument, field, given }: Change, folder: string): unknown[] {
  const path = (value: unknown) =>
    typeof value === "string" && value !== "" ? join(folder, `${value.length}.db`) : value;
  return good.map((each, index) => {
    if (index !== argument % good.length) return each;
    const fields = isWhole(each) ? [] : Object.keys(each as object);
    const name = field === null ? undefined : fields[field % fields.length];
    if (name === undefined) return typeof each === "string" && each.startsWith(folder) ? path(given) : given;
    const value = PATHS.has(name) ? path(given) : given;
    return Array.isArray(each) ? each.with(Number(name), value) : { ...(each as object), [name]: value };
  });
}

/** What the library itself made, or a class, is given as it is: nobody takes it apart. */
function isWhole(given: unknown): boolean {
  if (typeof given !== "object" || given === null) return true;
  const isMade = "begin" in given || "weight" in given;
  return isMade || ![Object.prototype, Array.prototype].includes(Object.getPrototypeOf(given));
}

export const fuzzDoors: Fuzz = async (order) => {
  const world = await worldIn(order.folder);
  try {
    return await checked(order, change, async (what) => {
      const { name, good, call } = DOORS[what.at] as Door;
      try {
        await call(world, ...(changed(good(world), what, order.folder) as never[]));
      } catch (error) {
        expectTyped(error, name);
      }
    });
  } finally {
    await world.stats.close();
    world.handle.close();
  }
};

/** The control: doors as one would write them first. What V8 says there is no answer, though it is a TypeError. */
export const unguardedDoors: Fuzz = async (order) =>
  checked(order, anything, async (given) => {
    try {
      const { file: path } = given as { file: string };
      path.trim();
    } catch (error) {
      expectTyped(error, "an unguarded door", folderOf(import.meta.url));
    }
  });

/** What every kind of fuzzing here is: so many runs from a seed, and what was found wrong. */
import fc from "fast-check";
import { MARK } from "../../oracle/canary.ts";

export interface Order {
  readonly kind: string;
  readonly seed: number;
  readonly runs: number;
  /** A folder of this order's own. */
  readonly folder: string;
}

export interface Found {
  /** How many ran: up to the one that broke it, where one did. */
  readonly ran: number;
  /** Each a broken promise, with the smallest input that breaks it. */
  readonly problems: readonly string[];
  /** What was seen beside, by name. */
  readonly seen?: Readonly<Record<string, number>>;
}

export type Fuzz = (order: Order) => Promise<Found>;

const LONGEST_PROBLEM = 600;

/** Checks a property so many times. A property that does not hold tells the smallest input. */
export async function checked<T>(
  { seed, runs }: Pick<Order, "seed" | "runs">,
  inputs: fc.Arbitrary<T>,
  property: (input: T) => void | Promise<void>,
): Promise<Found> {
  const result = await fc.check(
    fc.asyncProperty(inputs, async (input) => property(input)),
    { seed, numRuns: runs },
  );
  if (!result.failed) return { ran: result.numRuns, problems: [] };
  const why = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
  const input = fc.stringify(result.counterexample);
  return { ran: result.numRuns, problems: [`${why.slice(0, 300)}; input ${input}`.slice(0, LONGEST_PROBLEM)] };
}

/** The same for properties that need no promise: ten times as fast. */
export function checkedNow<T>(
  { seed, runs }: Pick<Order, "seed" | "runs">,
  inputs: fc.Arbitrary<T>,
  property: (input: T) => void,
): Found {
  const result = fc.check(fc.property(inputs, property), { seed, numRuns: runs });
  if (!result.failed) return { ran: result.numRuns, problems: [] };
  const why = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
  const input = fc.stringify(result.counterexample);
  return { ran: result.numRuns, problems: [`${why.slice(0, 300)}; input ${input}`.slice(0, LONGEST_PROBLEM)] };
}

export function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** Whatever a program without types could hand over, and what is nearly right. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withTypedArray: true,
    maxDepth: 2,
  }),
  fc.constantFrom<unknown>(
    undefined,
    null,
    "",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "1",
    "sent",
    Number.NaN,
    -0,
    0,
    -1,
  ),
  fc.constantFrom<unknown>(
    Number.POSITIVE_INFINITY,
    Number.MAX_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER + 1,
    2 ** 32,
    2 ** 31,
    0.1,
    1e308,
    5e-324,
  ),
  fc.constantFrom<unknown>(
    Symbol("s"),
    5n,
    () => 1,
    new Proxy({}, {}),
    Object.create(null),
    throwing(),
    { valueOf: () => 3 },
    new Number(3),
  ),
  fc.constantFrom<unknown>(
    "\0",
    "\ud800",
    "💬",
    "a".repeat(5_000),
    "'; DROP TABLE agent_stats_key; --",
    "../../etc/passwd",
    "%s%n",
    `user-${MARK}`,
  ),
);

/** An object that throws whatever is asked of it. */
function throwing(): unknown {
  const no = () => {
    throw new Error("asked");
  };
  return { [Symbol.toPrimitive]: no, toString: no, valueOf: no, toJSON: no };
}

/** Numbers by counter name. A counter that is missing is zero. */
export type Numbers = Readonly<Record<string, number>>;

/** Adds to one of the numbers. A counter may bear any name, also one that every object has. */
function addTo(numbers: Record<string, number>, counter: string, value: number): void {
  if (value === 0) return;
  const sum = Object.hasOwn(numbers, counter) ? (numbers[counter] as number) + value : value;
  if (counter === "__proto__")
    Object.defineProperty(numbers, counter, { value: sum, enumerable: true, writable: true });
  else numbers[counter] = sum;
}

/** Adds up some of a key's counters. One that is missing is zero; one may be called `constructor`. */
export function sumOf(numbers: Numbers, counters: readonly string[]): number {
  return counters.reduce((sum, name) => sum + (Object.hasOwn(numbers, name) ? (numbers[name] ?? 0) : 0), 0);
}

/** Most often there is nothing to be added: then it is the numbers themselves. */
export function plus(a: Numbers, b: Numbers): Numbers {
  const counters = Object.keys(b);
  if (counters.length === 0) return a;
  const sum = { ...a };
  for (const counter of counters) addTo(sum, counter, b[counter] as number);
  return sum;
}

/** Numbers while they are added up. A map, as a counter may bear any name, also one that every object has. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(counter: string, value: number): this {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + value);
    return this;
  }

  addAll(numbers: Numbers): this {
    for (const [counter, value] of Object.entries(numbers)) this.add(counter, value);
    return this;
  }

  /** The numbers that are not zero. */
  numbers(): Numbers {
    return Object.fromEntries([...this.#counts].filter(([, value]) => value !== 0));
  }
}

import { assertGiven, isObject } from "./given.ts";

/** What one unit of a counter stands for. A report or an exporter picks its format by it. */
export type Unit = "count" | "bytes" | "ms";

/** A counter: a whole number that only grows. */
export interface CounterDefinition {
  /** One line that tells a user what the number means. */
  readonly help: string;
  /** Default: `"count"`. */
  readonly unit?: Unit;
  /** True for failures. They are saved within 250 ms, as they are what a report is read for. Default: false. */
  readonly error?: boolean;
  /** The counter that this one counts the attempts of, so that a success rate can be told. */
  readonly attemptsOf?: string;
}

/** A gauge: a live value, shown and never stored. */
export interface GaugeDefinition {
  readonly help: string;
  readonly gauge: true;
  readonly unit?: Unit;
}

/** What `defineProtocol` takes: for each name its help text, or its whole definition. */
export type ProtocolDefinition = Readonly<Record<string, string | CounterDefinition | GaugeDefinition>>;

type GaugesOf<D extends ProtocolDefinition> = {
  [K in keyof D & string]: D[K] extends { readonly gauge: true } ? K : never;
}[keyof D & string];

type CountersOf<D extends ProtocolDefinition> = Exclude<keyof D & string, GaugesOf<D>>;

export interface Counter extends Required<Omit<CounterDefinition, "attemptsOf">> {
  readonly name: string;
  readonly attemptsOf: string | null;
}

export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly unit: Unit;
}

/**
 * A named set of counters and gauges, e.g. `smp` or `mqtt`. Made by {@link defineProtocol}.
 * `C` and `G` are the names of its counters and gauges.
 */
export interface Protocol<C extends string = string, G extends string = string> {
  readonly name: string;
  readonly counters: readonly Counter[];
  readonly gauges: readonly Gauge[];
  /** The place of a counter among `counters`, by name. */
  readonly counterIndex: ReadonlyMap<string, number>;
  /** The place of a gauge among `gauges`, by name. */
  readonly gaugeIndex: ReadonlyMap<string, number>;
  /** Carries the names in the type only; never set. */
  readonly names?: { readonly counter: C; readonly gauge: G };
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/;

/**
 * Defines a protocol. The order of the names is the order in which they are shown.
 *
 * @example
 * const mqtt = defineProtocol("mqtt", {
 *   sent: "messages the broker acknowledged",
 *   sendAttempts: { help: "messages handed to the broker", attemptsOf: "sent" },
 *   sendErrors: { help: "messages the broker refused", error: true },
 *   connected: { help: "1 while connected", gauge: true },
 * });
 *
 * @throws TypeError when a name is not an identifier of at most 64 characters, a help text is empty or none, or
 * `attemptsOf` names no counter: a definition is written once, by a programmer, and must not fail later.
 */
export function defineProtocol<const D extends ProtocolDefinition>(
  name: string,
  definition: D,
): Protocol<CountersOf<D>, GaugesOf<D>> {
  assertName(name, "protocol");
  assertGiven(isObject(definition), "a definition must be an object");
  const counters: Counter[] = [];
  const gauges: Gauge[] = [];
  for (const [index, [key, given]] of Object.entries(definition).entries()) {
    assertName(key, "counter");
    const spec = typeof given === "string" ? { help: given } : given;
    // By its place: no error names a counter, as errors go to logs.
    const help = isObject(spec) ? spec.help : null;
    assertGiven(
      typeof help === "string" && help !== "",
      `counter ${index + 1} has no help text: say in one line what the number means`,
    );
    if ("gauge" in spec) gauges.push({ name: key, help: spec.help, unit: spec.unit ?? "count" });
    else counters.push(counterOf(key, spec));
  }
  const counterIndex = indexOf(counters);
  for (const [index, { attemptsOf }] of counters.entries()) {
    assertGiven(
      attemptsOf === null || counterIndex.has(attemptsOf),
      `counter ${index + 1}, gauges left out, has an attemptsOf that is no counter of its protocol`,
    );
  }
  return Object.freeze({ name, counters, gauges, counterIndex, gaugeIndex: indexOf(gauges) });
}

function counterOf(name: string, spec: CounterDefinition): Counter {
  return {
    name,
    help: spec.help,
    unit: spec.unit ?? "count",
    error: spec.error ?? false,
    attemptsOf: spec.attemptsOf ?? null,
  };
}

function assertName(name: string, what: string): void {
  assertGiven(
    typeof name === "string" && NAME.test(name) && name !== "__proto__",
    `a ${what}'s name must be an identifier of at most 64 characters`,
  );
}

function indexOf(named: readonly { readonly name: string }[]): ReadonlyMap<string, number> {
  return new Map(named.map(({ name }, index) => [name, index]));
}

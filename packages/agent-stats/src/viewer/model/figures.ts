import type { Protocol } from "../../record/protocol.ts";
import { type Activity, activitiesOf } from "../../summarise/activities.ts";
import { type Outcomes, outcomesOf } from "../../summarise/failing.ts";
import { type Numbers, sumOf, Tally } from "../../summarise/numbers.ts";

/** Out of how many outcomes of one activity so many were failures, as `doctor` counts them too. */
export interface FailureRate extends Outcomes {
  /** `send`, `subscribe` … */
  readonly activity: string;
}

/** What an overview tells of any protocol. Null: this protocol has no counter of the kind, so nothing is known. */
export interface Figures {
  readonly sent: number | null;
  readonly received: number | null;
  readonly failed: number | null;
  /** One for each activity that had an outcome and could fail; what failed most often first, else sending first. */
  readonly rates: readonly FailureRate[];
}

const SENDING = new Set(["send", "upload"]);
const RECEIVING = new Set(["receive", "download"]);

/** Turns counters into figures, by protocol. */
export interface Meter {
  figures(protocol: string, numbers: Numbers): Figures;
  /** Whether a counter counts failures. */
  isError(protocol: string, counter: string): boolean;
  definition(protocol: string): Protocol | undefined;
}

export function meterOf(
  keys: Iterable<{ readonly protocol: string; readonly overall: Numbers }>,
  protocols: readonly Protocol[],
): Meter {
  const counted = new Map<string, Numbers[]>(protocols.map(({ name }) => [name, []]));
  for (const { protocol, overall } of keys) {
    const known = counted.get(protocol) ?? [];
    counted.set(protocol, known);
    known.push(overall);
  }
  const definition = (protocol: string) => protocols.find(({ name }) => name === protocol);
  const activities = new Map(
    [...counted].map(([protocol, all]) => {
      const names = new Set(all.flatMap((numbers) => Object.keys(numbers)));
      return [protocol, activitiesOf(protocol, names, definition(protocol), all)];
    }),
  );
  const errors = new Map(
    [...activities].map(([protocol, all]) => [
      protocol,
      new Set(all.flatMap(({ failures, losses }) => [...failures.map(({ counter }) => counter), ...losses])),
    ]),
  );
  return {
    figures: (protocol, numbers) => figuresOf(activities.get(protocol) ?? [], numbers),
    isError: (protocol, counter) => errors.get(protocol)?.has(counter) ?? false,
    definition,
  };
}

function figuresOf(activities: readonly Activity[], numbers: Numbers): Figures {
  const successes = (names: ReadonlySet<string>) => {
    const counters = activities.filter(({ name }) => names.has(name)).flatMap((each) => each.successes);
    return counters.length === 0 ? null : sumOf(numbers, counters);
  };
  const failing = activities.filter(({ failures }) => failures.length > 0);
  const rates = failing.map((activity) => ({ activity: activity.name, ...outcomesOf(numbers, activity) }));
  return {
    sent: successes(SENDING),
    received: successes(RECEIVING),
    failed: failing.length === 0 ? null : rates.reduce((sum, { failed }) => sum + failed, 0),
    rates: sorted(rates),
  };
}

function sorted(rates: readonly FailureRate[]): FailureRate[] {
  return rates
    .filter(({ all }) => all > 0)
    .sort((a, b) => b.failed - a.failed || Number(SENDING.has(b.activity)) - Number(SENDING.has(a.activity)));
}

/** Figures of several protocols or servers. What one of them does not know, the others still do. */
export function sumFigures(all: readonly Figures[]): Figures {
  const sum = (pick: (figures: Figures) => number | null) => {
    const known = all.map(pick).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
  };
  const rates = new Map<string, FailureRate>();
  for (const rate of all.flatMap((figures) => figures.rates)) {
    const { failed = 0, all = 0 } = rates.get(rate.activity) ?? {};
    rates.set(rate.activity, { activity: rate.activity, failed: failed + rate.failed, all: all + rate.all });
  }
  return {
    sent: sum(({ sent }) => sent),
    received: sum(({ received }) => received),
    failed: sum(({ failed }) => failed),
    rates: sorted([...rates.values()]),
  };
}

export function added(all: readonly Numbers[]): Numbers {
  return all.reduce((sum, numbers) => sum.addAll(numbers), new Tally()).numbers();
}

import type { Protocol } from "../../record/protocol.ts";
import { type Activity, activitiesOf } from "../../summarise/activities.ts";
import { failedIn } from "../../summarise/failures.ts";
import { type Numbers, sumOf, Tally } from "../../summarise/numbers.ts";

/** What an overview tells of any protocol. Null: this protocol has no counter of the kind, so nothing is known. */
export interface Figures {
  readonly sent: number | null;
  readonly received: number | null;
  readonly failed: number | null;
  /** Of everything whose failures are counted, the share that failed; null where nothing had an outcome. */
  readonly failureRate: number | null;
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
  const failuresOf = ({ failures }: Activity) => failedIn(numbers, failures);
  const failed = failing.reduce((sum, activity) => sum + failuresOf(activity), 0);
  const outcomes = failing.reduce((sum, activity) => {
    const well = sumOf(numbers, activity.successes);
    return (
      sum + (activity.successesIncludeFailures ? Math.max(well, failuresOf(activity)) : well + failuresOf(activity))
    );
  }, 0);
  return {
    sent: successes(SENDING),
    received: successes(RECEIVING),
    failed: failing.length === 0 ? null : failed,
    failureRate: outcomes === 0 ? null : failed / outcomes,
  };
}

/** Figures of several protocols or servers. What one of them does not know, the others still do. */
export function sumFigures(all: readonly Figures[]): Omit<Figures, "failureRate"> {
  const sum = (pick: (figures: Figures) => number | null) => {
    const known = all.map(pick).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
  };
  return {
    sent: sum(({ sent }) => sent),
    received: sum(({ received }) => received),
    failed: sum(({ failed }) => failed),
  };
}

export function added(all: readonly Numbers[]): Numbers {
  return all.reduce((sum, numbers) => sum.addAll(numbers), new Tally()).numbers();
}

import type { Activity } from "./activities.ts";
import { failedIn, ownOf } from "./failures.ts";
import type { FailingEverywhereFinding, FailingFinding, FailureReason } from "./findings.ts";
import { type Numbers, sumOf, Tally } from "./numbers.ts";
import type { Period, Place } from "./places.ts";
import { shareEvidence, stretchesOf } from "./stretches.ts";

/** What every network does now and then: a queue that is gone, a server that is started again. */
const FINE = 0.02;
/** What a user notices. Between the two, at about 5 %, evidence turns. */
const WRONG = 0.1;

/** How often an activity failed, out of how often its outcome is known: what is under way, or lost, is in neither. */
export interface Outcomes {
  readonly failed: number;
  /** Successes and failures. */
  readonly all: number;
}

/** How an activity went in one period. */
export interface Outcome extends Outcomes {
  readonly at: number;
}

/** One server at which an activity fails, and when. */
export interface Failing {
  readonly place: Place;
  readonly from: number;
  /** The last period with a failure. */
  readonly lastAt: number;
  readonly goesOn: boolean;
  /** The periods that its numbers are taken from. */
  readonly periods: readonly Period[];
  readonly outcomes: readonly Outcome[];
  readonly sinceMayBeEarlier: boolean;
}

export function outcomeOf({ at, sum }: Pick<Period, "at" | "sum">, activity: Activity): Outcome {
  return { at, ...outcomesOf(sum, activity) };
}

/** The one definition of a failure rate: `failed / all`, of one activity. Different activities are never mixed. */
export function outcomesOf(numbers: Numbers, { successes, failures, successesIncludeFailures }: Activity): Outcomes {
  const failed = failedIn(numbers, failures);
  const succeeded = sumOf(numbers, successes);
  return { failed, all: successesIncludeFailures ? Math.max(succeeded, failed) : succeeded + failed };
}

/** The last time that an activity failed too much at a server; null where it never did. */
export function failingAt(place: Place, outcomes: readonly Outcome[], activity: Activity): Failing | null {
  const used = outcomes.flatMap(({ all }, index) => (all > 0 ? [index] : []));
  const evidence = used.map((index) => {
    const { at, failed, all } = outcomes[index] as Outcome;
    return { at, score: shareEvidence(failed, all, FINE, WRONG) };
  });
  const stretch = stretchesOf(evidence).at(-1);
  if (!stretch) return null;
  const first = used[stretch.from] as number;
  const end = stretch.goesOn ? outcomes.length : (used[stretch.to] as number) + 1;
  const periods = place.periods.slice(first, end);
  const last = periods.findLast((period) => outcomesOf(period.sum, activity).failed > 0) as Period;
  return {
    place,
    from: (periods[0] as Period).at,
    lastAt: last.at,
    goesOn: stretch.goesOn,
    periods,
    outcomes: outcomes.slice(first, end),
    sinceMayBeEarlier: stretch.from === 0,
  };
}

type OutcomesByServer = ReadonlyMap<string, readonly Outcome[]>;

/** A server that fails alone is a finding of its own; where nearly all fail at once, all together are one. */
export function failingFindings(
  failing: readonly Failing[],
  outcomes: OutcomesByServer,
  activity: Activity,
): (FailingFinding | FailingEverywhereFinding)[] {
  return atOnce(failing).flatMap((group): (FailingFinding | FailingEverywhereFinding)[] => {
    const used = usedBetween(outcomes, Math.max(...group.map(({ from }) => from)), Math.min(...group.map(endOf)));
    const isEverywhere = group.length >= FEWEST_EVERYWHERE && group.length >= used.length * NEARLY_ALL;
    if (isEverywhere) return [everywhere(group, Math.max(used.length, group.length), activity)];
    return group.map((one) => alone(one, failing, outcomes, activity));
  });
}

/** Of two servers one cannot say "everywhere". */
const FEWEST_EVERYWHERE = 3;
const NEARLY_ALL = 0.8;
const HOUR_MS = 3_600_000;

function endOf({ goesOn, lastAt }: Failing): number {
  return goesOn ? Number.POSITIVE_INFINITY : lastAt;
}

/** Groups of those that failed at one time, give or take the hour that periods are as long as. */
function atOnce(failing: readonly Failing[]): Failing[][] {
  const groups: { readonly of: Failing[]; end: number }[] = [];
  for (const one of failing.toSorted((a, b) => a.from - b.from)) {
    const group = groups.find(({ end }) => one.from <= end + HOUR_MS);
    if (group) {
      group.of.push(one);
      group.end = Math.min(group.end, endOf(one));
    } else groups.push({ of: [one], end: endOf(one) });
  }
  return groups.map(({ of }) => of);
}

function usedBetween(outcomes: OutcomesByServer, from: number, to: number): string[] {
  const [begin, end] = [Math.min(from, to), Math.max(from, to)];
  return [...outcomes]
    .filter(([, periods]) => periods.some(({ at, all }) => all > 0 && at >= begin && at <= end))
    .map(([server]) => server);
}

function alone(
  one: Failing,
  failing: readonly Failing[],
  outcomes: OutcomesByServer,
  activity: Activity,
): FailingFinding {
  const { failed, all } = summed(one.outcomes);
  const others = usedBetween(outcomes, one.from, endOf(one)).filter((server) => server !== one.place.server);
  const alsoFailing = failing.filter(
    (other) => others.includes(other.place.server) && other.from <= endOf(one) && endOf(other) >= one.from,
  );
  return {
    kind: "failing",
    weight: weightOf(failed, all, one.goesOn),
    protocol: one.place.protocol,
    activity: activity.name,
    server: one.place.server,
    failed,
    outcomes: all,
    since: new Date(one.from),
    sinceMayBeEarlier: one.sinceMayBeEarlier,
    until: one.goesOn ? null : new Date(one.lastAt),
    reasons: reasonsOf(one.periods, activity),
    users: usersOf(one.periods, activity),
    others: { servers: others.length, failing: alsoFailing.length },
  };
}

function everywhere(group: readonly Failing[], ofServers: number, activity: Activity): FailingEverywhereFinding {
  const sums = group.map((one) => ({ one, ...summed(one.outcomes) })).toSorted((a, b) => b.failed - a.failed);
  const { failed, all } = sums.reduce((sum, { failed, all }) => ({ failed: sum.failed + failed, all: sum.all + all }), {
    failed: 0,
    all: 0,
  });
  // What was used too little since to be sure is taken to have recovered with the others.
  const goesOn = group.filter((one) => one.goesOn).length * 2 > group.length;
  return {
    kind: "failing-everywhere",
    weight: Math.min(100, weightOf(failed, all, goesOn) + 3),
    protocol: (group[0] as Failing).place.protocol,
    activity: activity.name,
    servers: sums.map(({ one }) => one.place.server),
    ofServers,
    failed,
    outcomes: all,
    since: new Date(Math.min(...group.map(({ from }) => from))),
    sinceMayBeEarlier: group.every((one) => one.sinceMayBeEarlier),
    until: goesOn ? null : new Date(Math.max(...group.map(({ lastAt }) => lastAt))),
    reasons: reasonsOf(
      group.flatMap(({ periods }) => periods),
      activity,
    ),
  };
}

/** What goes on comes before what is over; then by the share that fails, then by how much that is. */
function weightOf(failed: number, all: number, goesOn: boolean): number {
  const share = failed / all;
  return goesOn ? 60 + 25 * share + Math.min(10, 2 * Math.log10(failed)) : 25 + 15 * share;
}

function summed(outcomes: readonly Outcome[]): { readonly failed: number; readonly all: number } {
  return {
    failed: outcomes.reduce((sum, { failed }) => sum + failed, 0),
    all: outcomes.reduce((sum, { all }) => sum + all, 0),
  };
}

function reasonsOf(periods: readonly Period[], { failures }: Activity): FailureReason[] {
  return failures
    .map((failure) => ({
      ...failure,
      count: periods.reduce((sum, period) => sum + ownOf(period.sum, failure), 0),
    }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

function usersOf(periods: readonly Period[], activity: Activity): FailingFinding["users"] {
  const users = new Map<string, Tally>();
  for (const period of periods) {
    for (const [userId, numbers] of period.users) {
      users.set(userId, (users.get(userId) ?? new Tally()).addAll(numbers));
    }
  }
  return [...users]
    .map(([userId, numbers]) => {
      const { failed, all } = outcomesOf(numbers.numbers(), activity);
      return { userId, failed, outcomes: all };
    })
    .filter(({ outcomes }) => outcomes > 0)
    .sort((a, b) => b.failed - a.failed);
}

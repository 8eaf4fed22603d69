import { type Activity, activitiesOf } from "./activities.ts";
import { type Failing, failingAt, failingFindings, type Outcome, outcomeOf } from "./failing.ts";
import type { Diagnosable, DuplicatesFinding, Finding, FruitlessFinding, LosingFinding } from "./findings.ts";
import { sumOf } from "./numbers.ts";
import { type Period, type Place, placesOf } from "./places.ts";
import { rateEvidence, type Stretch, shareEvidence, stretchesOf } from "./stretches.ts";

/** What the counters tell: where activities fail, are not answered, break, or are repeated. */
export function activityFindings({ servers, timeline, now, protocols = [] }: Diagnosable, since: number): Finding[] {
  const everyPlace = placesOf(servers, timeline, now);
  return [...new Set(everyPlace.map(({ protocol }) => protocol))].flatMap((protocol) => {
    const places = everyPlace.filter((place) => place.protocol === protocol);
    const counters = new Set(places.flatMap(({ periods }) => periods.flatMap(({ sum }) => Object.keys(sum))));
    const definition = protocols.find(({ name }) => name === protocol);
    const counted = places.flatMap(({ periods }) => periods.flatMap(({ users }) => [...users.values()]));
    return activitiesOf(protocol, counters, definition, counted).flatMap((activity) => [
      ...failingIn(places, activity, since),
      ...fruitless(places, activity, since),
      ...losing(places, activity, since),
      ...duplicated(places, activity, since),
    ]);
  });
}

function failingIn(places: readonly Place[], activity: Activity, since: number): Finding[] {
  if (activity.failures.length === 0 || activity.successes.length === 0) return [];
  const all = places.map((place) => ({ place, outcomes: place.periods.map((period) => outcomeOf(period, activity)) }));
  const failing = all
    .map(({ place, outcomes }) => failingAt(place, outcomes, activity))
    .filter((found): found is Failing => found !== null && found.lastAt >= since);
  const outcomes = new Map<string, readonly Outcome[]>(all.map(({ place, outcomes }) => [place.server, outcomes]));
  return failingFindings(failing, outcomes, activity);
}

/** Fewer can be under way, or unlucky. */
const FEWEST_ATTEMPTS = 10;
/** In one hour alone the server may just have been started again. */
const FEWEST_PERIODS = 2;

function fruitless(places: readonly Place[], activity: Activity, since: number): FruitlessFinding[] {
  if (activity.attempts.length === 0 || activity.successes.length === 0) return [];
  const results = [...activity.successes, ...activity.failures.map(({ counter }) => counter)];
  const found = places.flatMap(({ server, protocol, periods }) => {
    const answered = periods.findLastIndex(({ sum }) => sumOf(sum, results) > 0);
    const tried = periods.slice(answered + 1).filter(({ sum }) => sumOf(sum, activity.attempts) > 0);
    const attempts = tried.reduce((total, { sum }) => total + sumOf(sum, activity.attempts), 0);
    const [first, last] = [tried[0], tried.at(-1)];
    if (!first || !last || attempts < FEWEST_ATTEMPTS || tried.length < FEWEST_PERIODS || last.at < since) return [];
    return [{ server, protocol, attempts, since: first.at, everSucceeded: answered >= 0 }];
  });
  const [first] = found;
  if (!first) return [];
  const begin = Math.min(...found.map(({ since }) => since));
  const tried = places.filter(({ periods }) =>
    periods.some(({ at, sum }) => at >= begin && sumOf(sum, activity.attempts) > 0),
  );
  return [
    {
      kind: "fruitless",
      weight: 58,
      protocol: first.protocol,
      activity: activity.name,
      servers: found.toSorted((a, b) => b.attempts - a.attempts).map(({ server }) => server),
      ofServers: tried.length,
      attempts: found.reduce((sum, { attempts }) => sum + attempts, 0),
      since: new Date(begin),
      everSucceeded: found.some(({ everSucceeded }) => everSucceeded),
    },
  ];
}

/** Once in an hour is a phone on its way; every ten minutes is a fault. */
const FINE_LOSSES_AN_HOUR = 1;
const WRONG_LOSSES_AN_HOUR = 6;

function losing(places: readonly Place[], activity: Activity, since: number): LosingFinding[] {
  if (activity.losses.length === 0) return [];
  const found = places.flatMap((place) => {
    const stretch = lastStretch(place.periods, ({ sum }) =>
      rateEvidence(sumOf(sum, activity.losses), FINE_LOSSES_AN_HOUR, WRONG_LOSSES_AN_HOUR),
    );
    // Sums of before history are of no hour.
    if (!stretch || (place.beginsBeforeHistory && stretch.from === 0)) return [];
    const periods = place.periods.slice(stretch.from, stretch.to + 1);
    const losses = periods.reduce((total, { sum }) => total + sumOf(sum, activity.losses), 0);
    const last = (periods.at(-1) as Period).at;
    if (last < since) return [];
    return [{ place, losses, hours: periods.length, since: (periods[0] as Period).at, last, goesOn: stretch.goesOn }];
  });
  const [first] = found;
  if (!first) return [];
  const goesOn = found.some((one) => one.goesOn);
  return [
    {
      kind: "losing",
      weight: goesOn ? 45 : 22,
      protocol: first.place.protocol,
      activity: activity.name,
      servers: found.toSorted((a, b) => b.losses - a.losses).map(({ place }) => place.server),
      losses: found.reduce((sum, { losses }) => sum + losses, 0),
      hours: found.reduce((sum, { hours }) => sum + hours, 0),
      since: new Date(Math.min(...found.map(({ since }) => since))),
      until: goesOn ? null : new Date(Math.max(...found.map(({ last }) => last))),
    },
  ];
}

/** After a reconnect some come twice; where every third does, acknowledgements get lost. */
const FINE_DUPLICATES = 0.1;
const WRONG_DUPLICATES = 0.4;

function duplicated(places: readonly Place[], activity: Activity, since: number): DuplicatesFinding[] {
  if (activity.duplicates.length === 0 || activity.successes.length === 0) return [];
  return places.flatMap(({ protocol, server, periods }) => {
    const numbers = (period: Period) => {
      const received = sumOf(period.sum, activity.successes);
      return { received, duplicates: Math.min(sumOf(period.sum, activity.duplicates), received) };
    };
    const stretch = lastStretch(periods, (period) => {
      const { received, duplicates } = numbers(period);
      return shareEvidence(duplicates, received, FINE_DUPLICATES, WRONG_DUPLICATES);
    });
    if (!stretch) return [];
    const meant = periods.slice(stretch.from, stretch.goesOn ? periods.length : stretch.to + 1);
    const last = periods[stretch.to] as Period;
    if (last.at < since) return [];
    const sums = meant.map(numbers);
    return [
      {
        kind: "duplicates",
        weight: stretch.goesOn ? 30 : 12,
        protocol,
        activity: activity.name,
        server,
        duplicates: sums.reduce((sum, { duplicates }) => sum + duplicates, 0),
        received: sums.reduce((sum, { received }) => sum + received, 0),
        since: new Date((meant[0] as Period).at),
        until: stretch.goesOn ? null : new Date(last.at),
      },
    ];
  });
}

function lastStretch(periods: readonly Period[], scoreOf: (period: Period) => number): Stretch | undefined {
  return stretchesOf(periods.map((period) => ({ at: period.at, score: scoreOf(period) }))).at(-1);
}

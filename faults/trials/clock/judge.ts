/** What must be true of a clock unit, whatever the clock did. */
import type { TimelineEntry } from "agent-stats";
import { numberIn } from "../../oracle/names.ts";
import { added, differenceOf, nameOfSum, type Reading, type Sums } from "../../remote/host.ts";
import { HOUR, type Plan } from "./plan.ts";

export interface Seen {
  readonly plan: Pick<Plan, "zone">;
  /** The ledger: what was counted, and in which hour where that can be told. */
  readonly counted: Sums;
  readonly byHour: ReadonlyMap<string, number> | null;
  readonly trouble: readonly string[];
  readonly reading: Reading;
}

export function problemsOf({ plan, counted, byHour, trouble, reading }: Seen): string[] {
  const problems = [...trouble];
  const differs = (what: string, sums: Sums) => {
    const difference = differenceOf(sums, counted);
    if (difference !== null) problems.push(`${what}: ${difference}`);
  };
  differs("sums", reading.sums);
  differs("hours", sumsOf(reading.hours));
  differs("days", sumsOf(reading.days));
  differs("sessions", sumsOf(reading.sessions.flatMap(({ servers }) => servers)));
  problems.push(...doubled("hour", reading.hours), ...doubled("day", reading.days));
  problems.push(...daysWrong(plan.zone, reading), ...sessionsWrong(reading));
  if (byHour && !byHour.has("between two hours")) problems.push(...hoursWrong(byHour, reading.hours));
  return problems;
}

type Counted = Pick<TimelineEntry, "userId" | "server" | "counters">;

const sumsOf = (entries: readonly Counted[]) => added(...entries.map(sumsOfEntry));

function sumsOfEntry({ userId, server, counters }: Counted): Sums {
  return new Map(Object.entries(counters).map(([counter, n]) => [nameOfSum(userId, server, counter), n]));
}

function doubled(what: string, entries: readonly TimelineEntry[]): string[] {
  const names = entries.map(({ start, userId, server }) => JSON.stringify([start.getTime(), userId, server]));
  const more = names.length - new Set(names).size;
  return more === 0 ? [] : [`${more} times a ${what} of a key is told twice`];
}

/** The same hours, put into days by the calendar of ICU instead of the library's. */
function daysWrong(zone: string, { hours, days }: Reading): string[] {
  const calendar = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" });
  const byDay = (entries: readonly TimelineEntry[]) =>
    added(
      ...entries.map(
        (entry) => new Map([...sumsOfEntry(entry)].map(([name, n]) => [`${calendar.format(entry.start)} ${name}`, n])),
      ),
    );
  const difference = differenceOf(byDay(days), byDay(hours));
  return difference === null ? [] : [`days do not hold their hours: ${difference}`];
}

function hoursWrong(expected: ReadonlyMap<string, number>, hours: readonly TimelineEntry[]): string[] {
  const found = hours.flatMap((entry) =>
    [...sumsOfEntry(entry)].map(([name, n]) => [`${Math.floor(entry.start.getTime() / HOUR)} ${name}`, n] as const),
  );
  const difference = differenceOf(added(...found.map((each) => new Map([each]))), expected);
  return difference === null ? [] : [`counts are not in the hour in which they were made: ${difference}`];
}

function sessionsWrong({ sessions }: Reading): string[] {
  const problems: string[] = [];
  let last = { session: 0, run: -1 };
  for (const { session, started, lastSaved, ended, canHaveLostMs, servers } of sessions) {
    const times = [started, lastSaved, ...(ended ? [ended] : [])].map((date) => date.getTime());
    if (times.some((time, n) => !(time >= (times[n - 1] ?? time)))) problems.push("a session has a negative duration");
    if (!(canHaveLostMs >= 0)) problems.push("a session can have lost less than nothing");
    const runs = [...new Set(servers.map(({ server }) => numberIn(server)))];
    if (runs.length > 1) problems.push("a session counted what another run of the agent did");
    const run = runs[0] ?? last.run;
    if (session <= last.session || run < last.run) problems.push("sessions are not in the order in which they ran");
    last = { session, run };
  }
  return problems;
}

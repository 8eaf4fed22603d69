import type { ServerStats, TimelineEntry, TimelineOptions } from "agent-stats";
import type { CliContext, Terminal } from "../context.ts";
import { noCounter } from "../counter-names.ts";
import { CliError } from "../errors.ts";
import type { TimelineFlags } from "../flags-of-verbs.ts";
import { knownProtocols } from "../known.ts";
import { keysInScope } from "../scope.ts";
import { read } from "../source.ts";
import { cells, middle, padEnd, padStart, printable, wrapWords } from "../text/cells.ts";
import { headerLines } from "../text/header.ts";
import { formatValue } from "../text/numbers.ts";
import { painter } from "../text/paint.ts";
import { byUnitAndName } from "../text/sorting.ts";
import { sparkline, valuesPerBar } from "../text/sparkline.ts";
import { formatDuration, formatTime } from "../text/times.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Two days of hours, a month of days: what fits in a line of bars. */
const DEFAULT_RANGE_MS = { hour: 48 * HOUR_MS, day: 30 * DAY_MS } as const;

/** What is shown: which periods, and whose numbers. */
export interface Shown {
  readonly by: "hour" | "day";
  readonly from: Date;
  readonly to: Date;
  readonly counters: readonly string[];
}

/** `agent-stats timeline [COUNTER…]`: what was counted, hour by hour or day by day. */
export async function timeline(this: CliContext, flags: TimelineFlags, ...counters: string[]): Promise<void> {
  const by = flags.by ?? "day";
  const to = flags.to ?? new Date();
  const from = flags.from ?? new Date(to.getTime() - DEFAULT_RANGE_MS[by]);
  if (from > to) throw new CliError("USAGE", "--from is later than --to: give the earlier one as --from.");
  const { protocol, user, server } = flags;
  const options: TimelineOptions = {
    by,
    from,
    to,
    ...(protocol !== undefined && { protocol }),
    ...(user !== undefined && { userId: user }),
    ...(server !== undefined && { server }),
  };
  const found = await read(flags, this, async (view) => {
    const { servers } = await view.getServersStats();
    keysInScope(servers, flags);
    await assertKnown(counters, servers);
    return view.getTimeline(options);
  });
  const shown = { by, from, to, counters };
  const text = flags.json
    ? `${JSON.stringify(timelineJson(found, shown))}\n`
    : timelineText(found, shown, this.terminal);
  this.process.stdout.write(text);
}

/**
 * A counter that has counted stands in the file, and those of SimpleX and MQTT are known: any other is mistyped, or has
 * nothing to show yet.
 *
 * @throws CliError `NOT_FOUND`
 */
async function assertKnown(counters: readonly string[], servers: readonly ServerStats[]): Promise<void> {
  const counted = new Set(servers.flatMap(({ overall }) => Object.keys(overall)));
  const others = counters.filter((name) => !counted.has(name));
  if (others.length === 0) return;
  const defined = (await knownProtocols()).flatMap((protocol) => [...protocol.counters, ...protocol.gauges]);
  const known = new Set([...counted, ...defined.map(({ name }) => name)]);
  const unknown = others.find((name) => !known.has(name));
  if (unknown !== undefined) throw noCounter(unknown, [...known]);
}

/** What `--json` prints: the library's own entries, without counters that were not asked for. */
export function timelineJson(found: readonly TimelineEntry[], { by, from, to, counters }: Shown) {
  const wanted = new Set(counters);
  const entries = found.map((entry) => ({
    ...entry,
    counters: Object.fromEntries(Object.entries(entry.counters).filter(([name]) => isWanted(name, wanted))),
  }));
  return { by, from, to, entries: entries.filter((entry) => Object.keys(entry.counters).length > 0) };
}

interface Line {
  readonly protocol: string;
  readonly counter: string;
  readonly values: readonly number[];
  readonly sum: number;
}

const INDENT = "  ";
const GAP = "  ";
/** A name that leaves no room for bars loses its middle. */
const WIDEST_NAME = 24;

/** What is shown to people: a line of bars for each counter, servers and users added up. */
export function timelineText(found: readonly TimelineEntry[], shown: Shown, { width, colour }: Terminal): string {
  const paint = painter(colour);
  const starts = periodsOf(shown);
  const lines = linesOf(found, starts, new Set(shown.counters));
  const nameWidth = Math.min(WIDEST_NAME, Math.max(0, ...lines.map(({ counter }) => cells(printable(counter)))));
  const sumWidth = Math.max(0, ...lines.map(({ counter, sum }) => cells(formatValue(counter, sum))));
  const barsWidth = Math.max(1, width - INDENT.length - nameWidth - sumWidth - 2 * GAP.length);
  const perBar = valuesPerBar(starts.length, barsWidth) * (shown.by === "day" ? DAY_MS : HOUR_MS);
  const text = headerLines(
    [
      { name: "from", sentence: formatTime(new Date(starts[0] ?? shown.from), "minutes") },
      { name: "to", sentence: formatTime(shown.to, "minutes") },
      {
        name: "each bar",
        sentence: `${formatDuration(perBar)}; · is nothing counted; bars of a line share its own scale`,
      },
    ],
    width,
    paint,
  );
  let last: string | null = null;
  for (const { protocol, counter, values, sum } of lines) {
    if (protocol !== last) text.push("", paint("title", middle(printable(protocol), width)));
    last = protocol;
    const name = padEnd(middle(printable(counter), nameWidth), nameWidth);
    const total = paint("strong", padStart(formatValue(counter, sum), sumWidth));
    text.push(`${INDENT}${name}${GAP}${total}${GAP}${sparkline(values, barsWidth)}`);
  }
  if (lines.length === 0) text.push("", ...wrapWords(nothing(found, shown), width));
  return `${text.join("\n")}\n`;
}

function nothing(found: readonly TimelineEntry[], { counters }: Shown): string {
  if (counters.length === 0 || found.length === 0) return "Nothing was counted in this time.";
  return "Nothing of this name was counted in this time: see agent-stats show for the names.";
}

/** When each period begins. Days are those of the calendar: one may have 23 hours. */
function periodsOf({ by, from, to }: Shown): number[] {
  const starts: number[] = [];
  if (by === "hour") {
    for (let at = Math.floor(from.getTime() / HOUR_MS) * HOUR_MS; at <= to.getTime(); at += HOUR_MS) starts.push(at);
    return starts;
  }
  const day = new Date(from);
  day.setHours(0, 0, 0, 0);
  for (; day <= to; day.setDate(day.getDate() + 1)) starts.push(day.getTime());
  return starts;
}

function linesOf(found: readonly TimelineEntry[], starts: readonly number[], wanted: ReadonlySet<string>): Line[] {
  const indexes = new Map(starts.map((start, index) => [start, index]));
  const lines = new Map<string, { protocol: string; counter: string; values: number[] }>();
  for (const { start, protocol, counters } of found) {
    const index = indexes.get(start.getTime());
    if (index === undefined) continue;
    for (const [counter, value] of Object.entries(counters)) {
      if (!isWanted(counter, wanted)) continue;
      const name = JSON.stringify([protocol, counter]);
      const line = lines.get(name) ?? { protocol, counter, values: starts.map(() => 0) };
      lines.set(name, line);
      line.values[index] = (line.values[index] ?? 0) + value;
    }
  }
  return [...lines.values()]
    .map((line) => ({ ...line, sum: line.values.reduce((sum, value) => sum + value, 0) }))
    .sort((a, b) =>
      a.protocol === b.protocol ? byUnitAndName(a.counter, b.counter) : a.protocol < b.protocol ? -1 : 1,
    );
}

function isWanted(counter: string, wanted: ReadonlySet<string>): boolean {
  return wanted.size === 0 || wanted.has(counter);
}

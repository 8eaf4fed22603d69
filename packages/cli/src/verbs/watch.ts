import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServersStats, StatsView } from "agent-stats";
import type { StatsKey } from "agent-stats/sqlcipher";
import type { CliContext } from "../context.ts";
import { sentenceOf } from "../errors.ts";
import type { ScreenFlags } from "../flags-of-verbs.ts";
import { openScreen, type Screen } from "../screen.ts";
import { keyFor, openView } from "../source.ts";
import { printable } from "../text/cells.ts";
import { counterName, type Live, liveFrame } from "../text/live.ts";
import { formatValue } from "../text/numbers.ts";
import { plural } from "../text/plural.ts";
import { byUserServerProtocol } from "../text/sorting.ts";
import { formatTime } from "../text/times.ts";
import { showJson } from "./show.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const DEFAULT_EVERY_S = 1;

/** `agent-stats watch`: the database as it changes: a live screen, or a line at each change. */
export async function watch(this: CliContext, flags: ScreenFlags): Promise<void> {
  const key = await keyFor(flags, this);
  const ending = new AbortController();
  const end = () => ending.abort();
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    const looks = looksAt(flags, key, ending.signal);
    // The first look fails as that of any other verb: with a sentence and its exit code.
    const first = await looks.next();
    if (first.done) return;
    if (flags.json) await streamJson(this, first.value, looks);
    else if (process.stdout.isTTY) await showScreen(this, flags, first.value, looks, ending);
    else await streamLines(this, first.value, looks);
  } finally {
    for (const signal of SIGNALS) process.off(signal, end);
  }
}

interface Look {
  readonly at: Date;
  readonly stats: ServersStats | null;
  readonly problem: string | null;
}

/** A look every so often. One that fails is told and tried again, but for the first. */
async function* looksAt(flags: ScreenFlags, key: StatsKey, signal: AbortSignal): AsyncGenerator<Look, void> {
  let view: StatsView | null = await openView(flags, key);
  try {
    yield { at: new Date(), stats: await view.getServersStats(), problem: null };
    while (!signal.aborted) {
      await sleep((flags.every ?? DEFAULT_EVERY_S) * 1_000, null, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        view ??= await openView(flags, key);
        yield { at: new Date(), stats: await view.getServersStats(), problem: null };
      } catch (error) {
        // Opened anew at the next look: the file may be another one by then.
        await view?.close().catch(() => {});
        view = null;
        yield { at: new Date(), stats: null, problem: sentenceOf(error) };
      }
    }
  } finally {
    await view?.close();
  }
}

async function streamJson({ process }: CliContext, first: Look, looks: AsyncIterable<Look>): Promise<void> {
  let last = "";
  const tell = ({ at, stats, problem }: Look) => {
    if (stats === null) process.stderr.write(`${problem}\n`);
    const now = stats === null ? "" : JSON.stringify(showJson(stats));
    if (stats !== null && now !== last) process.stdout.write(`${JSON.stringify({ at, ...showJson(stats) })}\n`);
    last = now;
  };
  tell(first);
  for await (const look of looks) tell(look);
}

async function streamLines({ process }: CliContext, first: Look, looks: AsyncIterable<Look>): Promise<void> {
  let last = first.stats;
  process.stdout.write(`${formatTime(first.at)}  watching ${plural(last?.servers.length ?? 0, "row")} of servers\n`);
  let problem: string | null = null;
  for await (const look of looks) {
    if (look.problem !== null && look.problem !== problem) process.stderr.write(`${look.problem}\n`);
    problem = look.problem;
    if (look.stats === null) continue;
    for (const line of changesBetween(last, look.stats)) process.stdout.write(`${formatTime(look.at)}  ${line}\n`);
    last = look.stats;
  }
}

/** One line for each counter that changed. */
export function changesBetween(before: ServersStats | null, after: ServersStats): string[] {
  const old = countersOf(before);
  return after.servers.toSorted(byUserServerProtocol).flatMap((server) =>
    Object.entries(server.overall).flatMap(([counter, value]) => {
      const grown = value - (old.get(counterName(server, counter)) ?? 0);
      if (grown === 0) return [];
      const { userId, server: name, protocol } = server;
      const change = `${grown > 0 ? "+" : "−"}${formatValue(counter, Math.abs(grown))}`;
      const who = `user ${printable(userId)}  ${printable(name)}  ${printable(protocol)}`;
      return [`${who}  ${printable(counter)} ${change} = ${formatValue(counter, value)}`];
    }),
  );
}

function countersOf(stats: ServersStats | null): Map<string, number> {
  return new Map(
    stats?.servers.flatMap((server) =>
      Object.entries(server.overall).map(([counter, value]) => [counterName(server, counter), value] as const),
    ),
  );
}

/** How long a change stays marked. */
const MARKED_MS = 3_000;

async function showScreen(
  { terminal }: CliContext,
  flags: ScreenFlags,
  first: Look,
  looks: AsyncIterable<Look>,
  ending: AbortController,
): Promise<void> {
  let live: Live = {
    ...{ name: basename(flags.db), now: first.at, stats: first.stats, before: first.stats, problem: null },
    ...{ changed: new Set(), paused: false, onlyChanged: false, scroll: 0 },
  };
  let mostScroll = 0;
  let screen: Screen | null = null;
  const draw = () => {
    if (screen === null) return;
    const { columns, rows } = screen;
    const frame = liveFrame(live, { columns, rows, colour: terminal.colour });
    mostScroll = frame.mostScroll;
    screen.draw(frame.lines);
  };
  const key = (typed: string) => {
    if (typed === "q" || typed === "\u0003") return ending.abort();
    live = afterKey(live, typed, mostScroll, screen?.rows ?? 0);
    draw();
  };
  screen = openScreen(process.stdout, process.stdin, { key, resize: draw });
  try {
    draw();
    const marked = marks(first.stats);
    for await (const { at, stats, problem } of looks) {
      if (live.paused) continue;
      live = { ...live, now: at, stats: stats ?? live.stats, problem, changed: marked(stats, at) };
      draw();
    }
  } finally {
    screen.close();
  }
}

/** Which counters changed just now: told look after look. */
function marks(first: ServersStats | null) {
  const changedAt = new Map<string, number>();
  let old = countersOf(first);
  return (stats: ServersStats | null, at: Date): ReadonlySet<string> => {
    const counters = stats === null ? old : countersOf(stats);
    for (const [name, value] of counters) if (old.get(name) !== value) changedAt.set(name, at.getTime());
    old = counters;
    for (const [name, since] of changedAt) if (at.getTime() - since >= MARKED_MS) changedAt.delete(name);
    return new Set(changedAt.keys());
  };
}

function afterKey(live: Live, typed: string, mostScroll: number, rows: number): Live {
  const scroll = Math.max(0, Math.min(mostScroll, live.scroll + stepOf(typed, Math.max(1, rows - OVERLAP_ROWS))));
  return {
    ...live,
    scroll,
    paused: typed === "p" ? !live.paused : live.paused,
    onlyChanged: typed === "c" ? !live.onlyChanged : live.onlyChanged,
  };
}

/** The rows that are no table, and one that is seen on both pages. */
const OVERLAP_ROWS = 6;

const STEPS: Readonly<Record<string, number | "page">> = { j: 1, "\u001b[B": 1, k: -1, "\u001b[A": -1, " ": "page" };

function stepOf(typed: string, page: number): number {
  if (typed === "\u001b[6~") return page;
  if (typed === "\u001b[5~" || typed === "b") return -page;
  const step = Object.hasOwn(STEPS, typed) ? STEPS[typed] : 0;
  return step === "page" ? page : (step ?? 0);
}

import type { ServerStats, ServersStats } from "agent-stats";
import { cells, middle, printable } from "./cells.ts";
import { serverNames } from "./names.ts";
import { formatCount, formatValue } from "./numbers.ts";
import { type Paint, painter } from "./paint.ts";
import { lossesOf, sessionsSince } from "./sessions.ts";
import { byUnitAndName, byUserServerProtocol } from "./sorting.ts";
import { type Cell, type Column, columnWidths, tableRow } from "./table.ts";
import { formatTimeAgo } from "./times.ts";

/** What is on the live screen. */
export interface Live {
  /** The name of the file, without its folder. */
  readonly name: string;
  readonly now: Date;
  /** Null before it could be read. */
  readonly stats: ServersStats | null;
  /** As it was when watching began. */
  readonly before: ServersStats | null;
  /** Counters that have changed just now, by {@link counterName}. */
  readonly changed: ReadonlySet<string>;
  /** Why it cannot be read right now. */
  readonly problem: string | null;
  readonly paused: boolean;
  /** Only counters that have changed since watching began. */
  readonly onlyChanged: boolean;
  /** How many lines of the tables are above the screen. */
  readonly scroll: number;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

/** A frame, and how far one can scroll. */
export interface Frame {
  readonly lines: readonly string[];
  readonly mostScroll: number;
}

export function counterName({ protocol, userId, server }: ServerStats, counter: string): string {
  return JSON.stringify([protocol, userId, server, counter]);
}

/** What each key does now: of one that is on, what it does when it is pressed again. */
function keysOf({ paused, onlyChanged }: Live): string {
  return `q quit  p ${paused ? "go on" : "pause"}  c ${onlyChanged ? "show all" : "changed only"}  ↑↓ scroll`;
}

/** The whole screen: facts above, tables between, keys below. */
export function liveFrame(live: Live, { columns, rows, colour }: Size): Frame {
  const paint = painter(colour);
  const top = topLines(live, columns, paint);
  const body = bodyLines(live, columns, paint);
  const room = Math.max(1, rows - top.length - 1);
  const mostScroll = Math.max(0, body.length - room);
  const scroll = Math.min(live.scroll, mostScroll);
  const shown = body.slice(scroll, scroll + room);
  const filled = [...shown, ...Array.from({ length: Math.max(0, room - shown.length) }, () => "")];
  const where = mostScroll === 0 ? "" : `  lines ${scroll + 1}–${scroll + shown.length} of ${body.length}`;
  const lines = [...top, ...filled, paint("quiet", middle(keysOf(live) + where, columns))];
  return { lines: lines.slice(0, rows), mostScroll };
}

function topLines({ name, now, stats, problem, paused, onlyChanged }: Live, columns: number, paint: Paint): string[] {
  const clock = now.toTimeString().slice(0, 8);
  const title = middle(
    `${printable(name)}  ${clock}${paused ? "  paused" : ""}${onlyChanged ? "  changed only" : ""}`,
    columns,
  );
  const saved = stats === null ? "" : `last saved ${stats.lastSaved ? formatTimeAgo(stats.lastSaved, now) : "never"}`;
  const sessions = stats === null ? "" : `sessions   ${shortSessions(stats)}`;
  const state = problem === null ? sessions : problem;
  return [
    paint("title", title),
    paint("plain", middle(saved, columns)),
    paint(problem === null ? "plain" : "warning", middle(state, columns)),
    "",
  ];
}

/** One line has no room for more. */
function shortSessions(stats: ServersStats): string {
  const sessions = sessionsSince(stats);
  const running = sessions.filter(({ how }) => how === "running").length;
  const lost = lossesOf(sessions);
  return [
    formatCount(sessions.length),
    ...(running > 0 ? [`${formatCount(running)} running`] : []),
    ...(lost.sessions > 0 ? [`${formatCount(lost.sessions)} without a goodbye`] : []),
  ].join(", ");
}

const COLUMNS: readonly Column[] = [
  { align: "left", shrinks: true },
  { align: "right" },
  { align: "right" },
  { align: "right" },
];
const INDENT = "    ";

function bodyLines(live: Live, columns: number, paint: Paint): string[] {
  const { stats } = live;
  if (stats === null) return [];
  const tables = stats.servers
    .toSorted(byUserServerProtocol)
    .map((server) => ({ server, rows: rowsOf(server, live) }))
    .filter(({ rows }) => rows.length > 1);
  if (tables.length === 0) return [live.onlyChanged ? "Nothing has changed yet." : "Nothing has been counted yet."];
  const widths = columnWidths(
    COLUMNS,
    tables.flatMap(({ rows }) => rows),
    columns - INDENT.length,
  );
  const nameOf = serverNames(new Set(tables.map(({ server }) => server.server)));
  return tables.flatMap(({ server, rows }, index) => [
    ...headingLines(server, tables[index - 1]?.server ?? null, nameOf, columns, paint),
    ...rows.map((row) => INDENT + tableRow(COLUMNS, widths, row, paint)),
  ]);
}

function headingLines(
  server: ServerStats,
  last: ServerStats | null,
  nameOf: (server: string) => string,
  columns: number,
  paint: Paint,
): string[] {
  const user = server.userId === "" ? "deleted users" : `user ${printable(server.userId)}`;
  const sameUser = last?.userId === server.userId;
  const sameServer = sameUser && last.server === server.server;
  const address = printable(server.server) || "all servers";
  // Between a key and an onion host stands what people know: there the middle would be lost.
  const name = cells(address) <= columns - 2 ? address : nameOf(server.server);
  return [
    ...(sameUser ? [] : [...(last === null ? [] : [""]), paint("title", middle(user, columns))]),
    ...(sameServer ? [] : [`  ${paint("strong", middle(name, columns - 2))}`]),
  ];
}

function rowsOf(server: ServerStats, { before, changed, onlyChanged }: Live): Cell[][] {
  const start = before?.servers.find(
    ({ protocol, userId, server: name }) =>
      protocol === server.protocol && userId === server.userId && name === server.server,
  );
  const head = [printable(server.protocol), "new", "session", "overall"].map((text) => ({
    text,
    look: "quiet" as const,
  }));
  const rows = Object.keys(server.overall)
    .sort(byUnitAndName)
    .flatMap((counter) => {
      const value = own(server.overall, counter);
      const grown = value - own(start?.overall ?? {}, counter);
      if (onlyChanged && grown === 0) return [];
      const look = changed.has(counterName(server, counter)) ? ("good" as const) : ("plain" as const);
      return [
        [
          { text: printable(counter), look },
          { text: grownText(counter, grown), look },
          { text: formatValue(counter, own(server.session, counter)), look },
          { text: formatValue(counter, value), look: look === "plain" ? ("strong" as const) : look },
        ],
      ];
    });
  return [head, ...rows];
}

function grownText(counter: string, grown: number): string {
  if (grown === 0) return "·";
  // After a reset there is less than there was.
  return grown > 0 ? `+${formatValue(counter, grown)}` : `−${formatCount(-grown)}`;
}

function own(numbers: Readonly<Record<string, number>>, counter: string): number {
  return Object.hasOwn(numbers, counter) ? (numbers[counter] ?? 0) : 0;
}

import type { ServerStats, ServersStats } from "agent-stats";
import type { CliContext, Terminal } from "../context.ts";
import type { ShowFlags } from "../flags-of-verbs.ts";
import { inScope } from "../scope.ts";
import { read } from "../source.ts";
import { printable, wrapName } from "../text/cells.ts";
import { headerLines } from "../text/header.ts";
import { formatValue } from "../text/numbers.ts";
import { type Paint, painter } from "../text/paint.ts";
import { formatSessions, lossesOf, sessionsSince } from "../text/sessions.ts";
import { byUnitAndName, byUserServerProtocol } from "../text/sorting.ts";
import { type Cell, type Column, columnWidths, tableRow } from "../text/table.ts";
import { formatTimeAgo } from "../text/times.ts";

/** `agent-stats show`: what every counter stands at. */
export async function show(this: CliContext, flags: ShowFlags): Promise<void> {
  const stats = inScope(await read(flags, this, (view) => view.getServersStats()), flags);
  const text = flags.json ? `${JSON.stringify(showJson(stats))}\n` : showText(stats, this.terminal, new Date());
  this.process.stdout.write(text);
}

/** What `--json` prints: the library's own snapshot, without what a file cannot know, and with the sums of the losses. */
export function showJson(stats: ServersStats) {
  const { trackedSince, lastSaved, sessions, servers } = stats;
  return {
    trackedSince: began(trackedSince),
    lastSaved,
    sessions,
    endedWithoutGoodbye: lossesOf(sessionsSince(stats)),
    servers: servers.toSorted(byUserServerProtocol).map(({ live: _live, ...stored }) => stored),
  };
}

const COLUMNS: readonly Column[] = [
  { align: "left", shrinks: true },
  { align: "right" },
  { align: "right" },
  { align: "right" },
];
const SERVER_INDENT = "  ";
const TABLE_INDENT = "    ";

/** What is shown to people. */
export function showText(stats: ServersStats, { width, colour }: Terminal, now: Date): string {
  const paint = painter(colour);
  const servers = stats.servers.toSorted(byUserServerProtocol);
  // One width for all tables, so that numbers stand below each other from server to server.
  const tables = servers.map((server) => ({ server, rows: rowsOf(server) }));
  const widths = columnWidths(
    COLUMNS,
    tables.flatMap(({ rows }) => rows),
    width - TABLE_INDENT.length,
  );
  const lines = headerLines(factsOf(stats, now), width, paint);
  let last: ServerStats | null = null;
  for (const { server, rows } of tables) {
    lines.push(...headingLines(server, last, width, paint));
    for (const row of rows) lines.push(TABLE_INDENT + tableRow(COLUMNS, widths, row, paint));
    last = server;
  }
  if (servers.length === 0) lines.push("", "Nothing has been counted yet.");
  return `${lines.join("\n")}\n`;
}

function factsOf(stats: ServersStats, now: Date) {
  const { trackedSince, lastSaved } = stats;
  const since = began(trackedSince);
  const sessions = sessionsSince(stats);
  const saved = lastSaved && lastSaved < trackedSince ? "not since" : lastSaved && formatTimeAgo(lastSaved, now);
  return [
    { name: "tracked since", sentence: since ? formatTimeAgo(since, now) : "never" },
    { name: "last saved", sentence: saved ?? "never" },
    { name: "sessions", sentence: formatSessions(sessions), warns: lossesOf(sessions).sessions > 0 },
  ];
}

/** The user and the server, each where it is another one than in the table before. */
function headingLines(server: ServerStats, last: ServerStats | null, width: number, paint: Paint): string[] {
  const sameUser = last?.userId === server.userId;
  const lines = [""];
  if (!sameUser) {
    lines.push(...wrapName(userName(server), width).map((line) => paint("title", line)), "");
  }
  if (sameUser && last.server === server.server) return lines;
  const name = wrapName(printable(server.server) || "all servers", width - SERVER_INDENT.length);
  return [...lines, ...name.map((line) => SERVER_INDENT + paint("strong", line))];
}

/** Sums of users that were deleted, but for their totals, belong to a user without a name. */
function userName({ userId }: ServerStats): string {
  return userId === "" ? "deleted users" : `user ${printable(userId)}`;
}

function rowsOf({ protocol, past, session, overall }: ServerStats): Cell[][] {
  const head = [printable(protocol), "past", "session", "overall"].map((text) => ({ text, look: "quiet" as const }));
  const counters = Object.keys(overall).sort(byUnitAndName);
  return [
    head,
    ...counters.map((counter) => [
      { text: printable(counter) },
      ...[past, session].map((numbers) => numberCell(counter, own(numbers, counter))),
      { ...numberCell(counter, own(overall, counter)), look: "strong" as const },
    ]),
  ];
}

function numberCell(counter: string, value: number): Cell {
  return { text: formatValue(counter, value), look: value === 0 ? "quiet" : "plain" };
}

/** A counter that is missing is zero; one may be called `constructor`. */
function own(numbers: Readonly<Record<string, number>>, counter: string): number {
  return Object.hasOwn(numbers, counter) ? (numbers[counter] ?? 0) : 0;
}

/** The file is made with its date at 0; tracking begins with the first session. */
function began(trackedSince: Date): Date | null {
  return trackedSince.getTime() === 0 ? null : trackedSince;
}

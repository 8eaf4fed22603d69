import { type JsonAt, Notes } from "./simplex-json.ts";
import { fieldOf, knownCounters, PROTOCOL_NAMES, type SimplexProtocol, scaleOf } from "./simplex-protocols.ts";
import {
  noteUnknown,
  type Reading,
  type RowNumbers,
  Rows,
  readCounters,
  readProgress,
  readSessions,
  readSubs,
} from "./simplex-rows.ts";

/**
 * Stands for the users who are not the current one: of them, SimpleX's presented summary tells sums only. No SimpleX
 * user has it, as their ids are numbers.
 */
export const OTHER_USERS = "others";

/** The names of a protocol's parts in the presented summary. */
export const PRESENTED: Readonly<
  Record<SimplexProtocol, { readonly suffix: string; readonly server: string; readonly groups: readonly string[] }>
> = {
  smp: { suffix: "SMP", server: "smpServer", groups: ["currentlyUsed", "previouslyUsed", "onlyProxied"] },
  xftp: { suffix: "XFTP", server: "xftpServer", groups: ["currentlyUsed", "previouslyUsed"] },
  ntf: { suffix: "Ntf", server: "ntfServer", groups: ["currentlyUsed", "previouslyUsed"] },
};

/** The presented summaries of the versions, newest first: where the two halves of each protocol stand. */
const LAYOUTS = [
  {
    name: "presented",
    all: (protocol: SimplexProtocol) => `allUsers${PRESENTED[protocol].suffix}`,
    current: (protocol: SimplexProtocol) => `currentUser${PRESENTED[protocol].suffix}`,
    hasTotals: true,
  },
  {
    name: "presented-5.8-servers",
    all: () => "allUsersServers",
    current: () => "currentUserServers",
    hasTotals: false,
  },
  {
    name: "presented-5.8-summary",
    all: () => "allServersSummary",
    current: () => "userServersSummary",
    hasTotals: false,
  },
] as const;

export type PresentedLayout = (typeof LAYOUTS)[number]["name"];

export interface ReadPresented {
  readonly layout: PresentedLayout;
  readonly rows: Rows;
  /** Servers that the current user has configured. */
  readonly knownServers: readonly string[];
  /** Where totals are not the sums of their servers. */
  readonly inconsistent: Notes;
}

export function isPresented(at: JsonAt): boolean {
  return layoutOf(at) !== undefined;
}

/**
 * Reads `PresentedServersSummary`: the current user's rows, and what all users have beyond them as one more user.
 *
 * @throws SimplexFormatError also where all users together have less than one of them
 */
export function readPresented(at: JsonAt, currentUser: string, reading: Reading): ReadPresented {
  const layout = layoutOf(at);
  if (!layout) return at.fault("this is no presented summary");
  const rows = new Rows();
  const all = new Rows();
  const knownServers = new Set<string>();
  const inconsistent = new Notes();
  const names = PROTOCOL_NAMES.flatMap((protocol) => [layout.all(protocol), layout.current(protocol)]);
  noteUnknown(at, ["statsStartedAt", ...names], reading);
  for (const protocol of PROTOCOL_NAMES) {
    // Before totals, no push servers were told.
    if (protocol === "ntf" && !layout.hasTotals) continue;
    for (const [name, into, userId] of [
      [layout.current(protocol), rows, currentUser],
      [layout.all(protocol), all, OTHER_USERS],
    ] as const) {
      const half = at.at(name);
      if (half.isNothing) reading.missing.add(half);
      else readHalf({ protocol, half, into, userId, hasTotals: layout.hasTotals, inconsistent, knownServers }, reading);
    }
    if (!at.at(layout.all(protocol)).isNothing) {
      takeOthers(at.at(layout.all(protocol)), protocol, rows, all, currentUser);
    }
  }
  return { layout: layout.name, rows, knownServers: [...knownServers], inconsistent };
}

function layoutOf(at: JsonAt) {
  return LAYOUTS.find(({ all, current }) =>
    PROTOCOL_NAMES.some((protocol) => at.has(all(protocol)) || at.has(current(protocol))),
  );
}

interface Half {
  readonly protocol: SimplexProtocol;
  readonly half: JsonAt;
  readonly into: Rows;
  readonly userId: string;
  readonly hasTotals: boolean;
  readonly inconsistent: Notes;
  readonly knownServers: Set<string>;
}

function readHalf({ protocol, half, into, userId, hasTotals, inconsistent, knownServers }: Half, reading: Reading) {
  const lists = (of: SimplexProtocol) => PRESENTED[of].groups.map((group) => `${group}${PRESENTED[of].suffix}Servers`);
  const totals = `${protocol}Totals`;
  noteUnknown(half, hasTotals ? [totals, ...lists(protocol)] : PROTOCOL_NAMES.flatMap(lists), reading);
  for (const name of lists(protocol)) {
    const list = half.at(name);
    if (list.isNothing) reading.missing.add(list);
    else for (const item of list.items()) readItem(protocol, item, into, userId, knownServers, reading);
  }
  if (!hasTotals) return;
  const at = half.at(totals);
  if (at.isNothing) reading.missing.add(at);
  else readTotals(protocol, at, into, inconsistent, reading);
}

function readItem(
  protocol: SimplexProtocol,
  item: JsonAt,
  into: Rows,
  userId: string,
  knownServers: Set<string>,
  reading: Reading,
): void {
  const { server } = PRESENTED[protocol];
  const progress = protocol === "xftp" ? ["rcvInProgress", "sndInProgress", "delInProgress"] : [];
  const subs = protocol === "smp" ? ["subs"] : [];
  noteUnknown(item, [server, "known", "sessions", "stats", ...subs, ...progress], reading);
  const row = into.row(protocol, userId, item.at(server), "item");
  if (!item.at("known").isNothing && item.at("known").flag()) knownServers.add(item.at(server).text());
  if (!item.at("sessions").isNothing) readSessions(item.at("sessions"), row.live, reading);
  if (protocol === "smp" && !item.at("subs").isNothing) readSubs(item.at("subs"), row.live, reading);
  if (!item.at("stats").isNothing) readCounters(protocol, item.at("stats"), row.counters, reading);
  if (protocol === "xftp") readProgress(item, row.live, reading);
}

/** Totals hold nothing that their servers do not: they are checked, and said to be odd where they are. */
function readTotals(protocol: SimplexProtocol, at: JsonAt, rows: Rows, inconsistent: Notes, reading: Reading): void {
  noteUnknown(at, ["sessions", "stats", ...(protocol === "smp" ? ["subs"] : [])], reading);
  const stats = at.at("stats");
  if (stats.isNothing) {
    reading.missing.add(stats);
    return;
  }
  stats.fields();
  for (const counter of knownCounters(protocol)) {
    const field = stats.at(fieldOf(counter));
    if (!stats.has(fieldOf(counter))) continue;
    const sum = rows
      .values()
      .reduce((n, row) => (row.protocol === protocol ? n + (row.counters.get(counter) ?? 0) : n), 0);
    if (field.count(scaleOf(protocol, counter)) !== sum) inconsistent.add(field);
  }
}

/** What all users have beyond the current one. */
function takeOthers(half: JsonAt, protocol: SimplexProtocol, rows: Rows, all: Rows, currentUser: string): void {
  for (const mine of rows.values()) {
    if (mine.protocol === protocol && mine.userId === currentUser && !all.find(OTHER_USERS, mine.address)) {
      half.fault("a server of the current user is missing among those of all users");
    }
  }
  for (const { server, protocol: of, address, counters, live } of all.values()) {
    if (of !== protocol) continue;
    const mine = rows.find(currentUser, address);
    // Early versions summed to nothing where one of the users had nothing.
    const others = {
      counters: counters.size === 0 ? counters : minus(half, counters, mine?.counters),
      live: minus(half, live, mine?.live),
    };
    if (mine && isZero(others.counters) && isZero(others.live)) continue;
    const row = rows.row(protocol, OTHER_USERS, half.of(server), "others");
    for (const [name, value] of others.counters) row.counters.set(name, value);
    for (const [name, value] of others.live) row.live.set(name, value);
  }
}

function minus(at: JsonAt, all: Map<string, number>, mine: RowNumbers["counters"] | undefined): Map<string, number> {
  return new Map(
    [...all].map(([name, value]) => {
      const rest = value - (mine?.get(name) ?? 0);
      return rest >= 0 ? ([name, rest] as const) : at.fault("all users together have less than the current one");
    }),
  );
}

function isZero(numbers: Map<string, number>): boolean {
  return [...numbers.values()].every((value) => value === 0);
}

import { assertGiven, assertOptions, isDate, isIterable, isObject, userIdOf } from "../record/given.ts";
import { compareServers, parseSimplexServer, type SimplexServer, serverIdentity } from "./simplex-address.ts";
import { PRESENTED } from "./simplex-presented.ts";
import {
  fieldOf,
  knownCounters,
  PROGRESS_GAUGES,
  SESSION_GAUGES,
  type SimplexProtocol,
  SUBS_GAUGES,
  scaleOf,
} from "./simplex-protocols.ts";

/** What is presented: whatever `getServersStats` of a keeper or a reader gives. */
export interface PresentableStats {
  readonly trackedSince: Date;
  readonly servers: readonly {
    readonly protocol: string;
    readonly userId: string;
    readonly server: string;
    readonly overall: Readonly<Record<string, number>>;
    readonly live: Readonly<Record<string, number>>;
  }[];
}

export interface PresentOptions {
  readonly currentUser: string | number;
  /** Users whose numbers are left out of all users', unless one of them is the current one. */
  readonly hiddenUsers?: Iterable<string | number>;
  /** Servers that the current user has configured. Without it, no server is said to be known or not. */
  readonly knownServers?: Iterable<string>;
  /** Default: `trackedSince`. */
  readonly statsStartedAt?: Date;
}

type Fields = Readonly<Record<string, number>>;

export interface PresentedServer {
  readonly smpServer?: string;
  readonly xftpServer?: string;
  readonly ntfServer?: string;
  readonly known?: boolean;
  readonly sessions?: Fields;
  readonly subs?: Fields;
  readonly stats?: Fields;
  readonly rcvInProgress?: boolean;
  readonly sndInProgress?: boolean;
  readonly delInProgress?: boolean;
}

interface Totals {
  readonly sessions: Fields;
  readonly stats: Fields;
}

export interface PresentedSmp {
  readonly smpTotals: Totals & { readonly subs: Fields };
  readonly currentlyUsedSMPServers: readonly PresentedServer[];
  readonly previouslyUsedSMPServers: readonly PresentedServer[];
  readonly onlyProxiedSMPServers: readonly PresentedServer[];
}

export interface PresentedXftp {
  readonly xftpTotals: Totals;
  readonly currentlyUsedXFTPServers: readonly PresentedServer[];
  readonly previouslyUsedXFTPServers: readonly PresentedServer[];
}

export interface PresentedNtf {
  readonly ntfTotals: Totals;
  readonly currentlyUsedNtfServers: readonly PresentedServer[];
  readonly previouslyUsedNtfServers: readonly PresentedServer[];
}

/** SimpleX's own shape: what its apps show. Field names, units (KB) and order are its own. */
export interface PresentedServersSummary {
  /** ISO 8601, UTC. */
  readonly statsStartedAt: string;
  readonly allUsersSMP: PresentedSmp;
  readonly allUsersXFTP: PresentedXftp;
  readonly allUsersNtf: PresentedNtf;
  readonly currentUserSMP: PresentedSmp;
  readonly currentUserXFTP: PresentedXftp;
  readonly currentUserNtf: PresentedNtf;
}

/**
 * Our rows as SimpleX presents its own, so that an app written for it can show them: overall numbers, and live ones where
 * there are. Rows of other protocols, and sums of deleted users, have no place in it.
 *
 * @throws TypeError when it is given no statistics, or no current user
 * @see simplex-chat, `toPresentedServersSummary` in `Simplex.Chat.Stats`
 */
export function toPresentedServersSummary(stats: PresentableStats, options: PresentOptions): PresentedServersSummary {
  assertGiven(isStats(stats), "stats must be what getServersStats tells");
  assertOptions(options);
  const current = userIdOf(options.currentUser);
  const { hiddenUsers = [], knownServers = [], statsStartedAt = stats.trackedSince } = options;
  assertGiven([hiddenUsers, knownServers].every(isIterable), "hiddenUsers and knownServers must be lists");
  assertGiven(isDate(statsStartedAt), "statsStartedAt must be a date");
  const hidden = new Set([...hiddenUsers].map(userIdOf));
  hidden.delete(current);
  const known = options.knownServers === undefined ? null : identities(options.knownServers);
  const all = (protocol: SimplexProtocol) => half(protocol, stats, (userId) => !hidden.has(userId), null);
  const mine = (protocol: SimplexProtocol) => half(protocol, stats, (userId) => userId === current, known);
  return {
    statsStartedAt: statsStartedAt.toISOString(),
    allUsersSMP: all("smp"),
    allUsersXFTP: all("xftp"),
    allUsersNtf: all("ntf"),
    currentUserSMP: mine("smp"),
    currentUserXFTP: mine("xftp"),
    currentUserNtf: mine("ntf"),
  } as unknown as PresentedServersSummary;
}

function isStats(stats: PresentableStats): boolean {
  const isRow = (row: PresentableStats["servers"][number]) =>
    isObject(row) && isObject(row.overall) && isObject(row.live);
  return isObject(stats) && isDate(stats.trackedSince) && Array.isArray(stats.servers) && stats.servers.every(isRow);
}

/** One server's sums over the users that are meant. */
interface Sum {
  readonly address: SimplexServer;
  readonly server: string;
  readonly stats: Map<string, number>;
  readonly live: Map<string, number>;
}

function half(
  protocol: SimplexProtocol,
  { servers }: PresentableStats,
  isMeant: (userId: string) => boolean,
  known: ReadonlySet<string> | null,
): Readonly<Record<string, unknown>> {
  const sums = sumsByServer(
    protocol,
    servers.filter((row) => row.protocol === protocol && isMeant(row.userId)),
  );
  const { suffix, groups } = PRESENTED[protocol];
  const lists = new Map(groups.map((group) => [group, [] as PresentedServer[]]));
  for (const sum of sums) lists.get(groupOf(protocol, sum))?.push(item(protocol, sum, known));
  return {
    [`${protocol}Totals`]: {
      sessions: totalOf(SESSION_GAUGES, sums),
      ...(protocol === "smp" && { subs: totalOf(SUBS_GAUGES, sums) }),
      stats: Object.fromEntries(
        counterNames(protocol, sums).map((counter) => [
          fieldOf(counter),
          // Each server in whole KB, then added up: so the totals are the sums of what is shown.
          sums.reduce((total, { stats }) => total + units(protocol, counter, stats.get(counter)), 0),
        ]),
      ),
    },
    ...Object.fromEntries([...lists].map(([group, list]) => [`${group}${suffix}Servers`, list])),
  };
}

function sumsByServer(protocol: SimplexProtocol, rows: PresentableStats["servers"]): Sum[] {
  const sums = new Map<string, Sum>();
  for (const { server, overall, live } of rows) {
    const address = addressOf(server);
    if (address?.protocol !== protocol) continue;
    const identity = serverIdentity(address);
    const sum = sums.get(identity) ?? { address, server, stats: new Map(), live: new Map() };
    sums.set(identity, sum);
    for (const [name, value] of Object.entries(overall)) sum.stats.set(name, (sum.stats.get(name) ?? 0) + value);
    for (const [name, value] of Object.entries(live)) sum.live.set(name, (sum.live.get(name) ?? 0) + value);
  }
  return [...sums.values()].sort((a, b) => compareServers(a.address, b.address));
}

/** Of `sentProxied` and its attempts too: a proxy is connected to directly. */
const USED_DIRECTLY = [
  "sentDirect",
  "sentProxied",
  "sentDirectAttempts",
  "sentProxiedAttempts",
  "recvMsgs",
  "connCreated",
  "connSecured",
  "connSubscribed",
  "connSubAttempts",
];

function groupOf(protocol: SimplexProtocol, sum: Sum): string {
  const isInUse =
    hasAny(SESSION_GAUGES, sum) ||
    (protocol === "smp" && hasAny(SUBS_GAUGES, sum)) ||
    (protocol === "xftp" && Object.values(PROGRESS_GAUGES).some((gauge) => (sum.live.get(gauge) ?? 0) > 0));
  if (isInUse) return "currentlyUsed";
  const wasUsed = protocol !== "smp" || USED_DIRECTLY.some((counter) => (sum.stats.get(counter) ?? 0) > 0);
  return wasUsed ? "previouslyUsed" : "onlyProxied";
}

function item(protocol: SimplexProtocol, sum: Sum, known: ReadonlySet<string> | null): PresentedServer {
  const hasStats = [...sum.stats.values()].some((value) => value > 0);
  const counters = counterNames(protocol, [sum]);
  return {
    [PRESENTED[protocol].server]: sum.server,
    ...(known && { known: known.has(serverIdentity(sum.address)) }),
    ...(hasAny(SESSION_GAUGES, sum) && { sessions: totalOf(SESSION_GAUGES, [sum]) }),
    ...(protocol === "smp" && hasAny(SUBS_GAUGES, sum) && { subs: totalOf(SUBS_GAUGES, [sum]) }),
    ...(hasStats && {
      stats: Object.fromEntries(
        counters.map((counter) => [fieldOf(counter), units(protocol, counter, sum.stats.get(counter))]),
      ),
    }),
    ...(protocol === "xftp" &&
      Object.fromEntries(
        Object.entries(PROGRESS_GAUGES).map(([field, gauge]) => [field, (sum.live.get(gauge) ?? 0) > 0]),
      )),
  };
}

type Gauges = Readonly<Record<string, string>>;

function hasAny(gauges: Gauges, { live }: Sum): boolean {
  return Object.values(gauges).some((gauge) => live.has(gauge));
}

function totalOf(gauges: Gauges, sums: readonly Sum[]): Fields {
  return Object.fromEntries(
    Object.entries(gauges).map(([field, gauge]) => [
      field,
      sums.reduce((total, { live }) => total + (live.get(gauge) ?? 0), 0),
    ]),
  );
}

/** Those that this version knows, then what a later one counted. */
function counterNames(protocol: SimplexProtocol, sums: readonly Sum[]): string[] {
  return [...new Set([...knownCounters(protocol), ...sums.flatMap(({ stats }) => [...stats.keys()])])];
}

function units(protocol: SimplexProtocol, counter: string, value = 0): number {
  return Math.floor(value / scaleOf(protocol, counter));
}

function identities(servers: Iterable<string>): ReadonlySet<string> {
  return new Set(
    [...servers].flatMap((server) => {
      const address = addressOf(server);
      return address ? serverIdentity(address) : [];
    }),
  );
}

function addressOf(server: string): SimplexServer | null {
  try {
    return parseSimplexServer(server);
  } catch {
    return null;
  }
}

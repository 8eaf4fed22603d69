import type { Protocol } from "../record/protocol.ts";
import { assertRead, isList, isRecord, isServers } from "./given.ts";
import { type Numbers, Tally } from "./numbers.ts";
import type { ServerStats } from "./servers-stats.ts";

/** Which numbers of a key are meant. */
export type Part = "past" | "session" | "overall";

export interface SumOptions {
  /** Default: `overall`. */
  readonly part?: Part;
  /** Only this user's. Default: all users'. */
  readonly userId?: string | number;
  /** Users whose numbers are left out of sums over all users, and of their own too unless named by `userId`. */
  readonly hiddenUsers?: Iterable<string | number>;
}

/**
 * Adds up counters over servers and users, a sum for each protocol.
 *
 * @example
 * // the current user, and all users without the hidden profile
 * totals(stats.servers, { userId: current });
 * totals(stats.servers, { hiddenUsers: [3] });
 *
 * @throws TypeError when they are no servers, or it is none of the parts
 */
export function totals(servers: readonly ServerStats[], options: SumOptions = {}): Record<string, Numbers> {
  const sums = new Map<string, Tally>();
  const meant = shown(servers, options);
  const { part = "overall" } = options;
  assertRead(["past", "session", "overall"].includes(part), "part is past, session or overall");
  for (const server of meant) {
    const sum = sums.get(server.protocol) ?? new Tally();
    sums.set(server.protocol, sum.addAll(server[part]));
  }
  return Object.fromEntries([...sums].map(([protocol, sum]) => [protocol, sum.numbers()]));
}

/**
 * The servers of one user, or of all users but the hidden ones.
 *
 * @throws TypeError when they are no servers, or no users
 */
export function shown(servers: readonly ServerStats[], options: SumOptions): ServerStats[] {
  assertRead(isServers(servers), NO_SERVERS);
  assertRead(isRecord(options), "options must be an object");
  const { userId, hiddenUsers = [] } = options;
  assertRead(userId === undefined || isUser(userId), "userId must be text or a number");
  const users = isIterable(hiddenUsers) ? [...hiddenUsers] : [null];
  assertRead(users.every(isUser), "hiddenUsers must be users, each text or a number");
  const hidden = new Set(users.map(String));
  return servers.filter((server) =>
    userId === undefined ? !hidden.has(server.userId) : server.userId === String(userId),
  );
}

const NO_SERVERS = "servers must be those that getServersStats tells";

function isUser(given: unknown): boolean {
  return typeof given === "string" || typeof given === "number";
}

function isIterable(given: unknown): given is Iterable<unknown> {
  return typeof (given as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === "function";
}

/** How a protocol's servers are told apart. Each answers for one server. */
export interface UseRule {
  /** Default: any gauge above 0. */
  readonly isUsedNow?: (server: ServerStats) => boolean;
  /** Whether it was reached directly at any time. Default: any counter above 0. */
  readonly wasUsed?: (server: ServerStats) => boolean;
}

export interface ServersByUse {
  readonly currentlyUsed: readonly ServerStats[];
  readonly previouslyUsed: readonly ServerStats[];
  /** Reached through another server only. */
  readonly onlyProxied: readonly ServerStats[];
}

/**
 * Servers in the three groups that SimpleX shows: used now; not now but before; and only reached through a proxy.
 *
 * @param rules by protocol name
 * @throws TypeError when they are no servers, or a rule is none
 * @see simplexmq 6.5.5, `Simplex.Messaging.Agent.Stats` and the chat's presented summary
 */
export function groupByUse(
  servers: readonly ServerStats[],
  rules: Readonly<Record<string, UseRule>> = {},
): ServersByUse {
  assertRead(isServers(servers), NO_SERVERS);
  const isRule = (rule: unknown) =>
    isRecord(rule) &&
    [rule.isUsedNow, rule.wasUsed].every((answers) => answers === undefined || typeof answers === "function");
  assertRead(isRecord(rules) && Object.values(rules).every(isRule), "rules must answer isUsedNow and wasUsed");
  const groups = { currentlyUsed: [], previouslyUsed: [], onlyProxied: [] } as Record<
    keyof ServersByUse,
    ServerStats[]
  >;
  for (const server of servers) {
    const { isUsedNow = hasLiveGauge, wasUsed = hasCounts } = Object.hasOwn(rules, server.protocol)
      ? (rules[server.protocol] ?? {})
      : {};
    const group = isUsedNow(server) ? "currentlyUsed" : wasUsed(server) ? "previouslyUsed" : "onlyProxied";
    groups[group].push(server);
  }
  return groups;
}

function hasLiveGauge({ live }: ServerStats): boolean {
  return Object.values(live).some((value) => value > 0);
}

function hasCounts({ overall }: ServerStats): boolean {
  return Object.values(overall).some((value) => value > 0);
}

/** How many of the attempts of something succeeded. */
export interface SuccessRate {
  /** The counter of successes, and that of its attempts. */
  readonly counter: string;
  readonly attemptsCounter: string;
  readonly successes: number;
  readonly attempts: number;
  /** Between 0 and 1; null where nothing was attempted. */
  readonly rate: number | null;
}

/**
 * The success rates that a protocol's attempts allow. Each stands for itself: counters that are two views of the same
 * message, such as SimpleX's `sentViaProxy` and `sentProxied`, are never added.
 *
 * @example
 * // { sendAttempts: { help: "…", attemptsOf: "sent" } } and { sent: 90, sendAttempts: 100 }
 * successRates(protocol, numbers); // [{ counter: "sent", attemptsCounter: "sendAttempts", …, rate: 0.9 }]
 *
 * @throws TypeError when it is no protocol, or there are no numbers
 */
export function successRates(protocol: Protocol, numbers: Numbers): SuccessRate[] {
  assertRead(isRecord(protocol) && isList(protocol.counters), "protocol must be made by defineProtocol");
  assertRead(isRecord(numbers), "numbers must be an object: a number for each counter");
  return protocol.counters.flatMap(({ name, attemptsOf }) => {
    if (attemptsOf === null) return [];
    const [successes, attempts] = [numbers[attemptsOf] ?? 0, numbers[name] ?? 0];
    const rate = attempts === 0 ? null : Math.min(successes / attempts, 1);
    return [{ counter: attemptsOf, attemptsCounter: name, successes, attempts, rate }];
  });
}

import { isCount, isObject } from "./given.ts";
import type { Recorded, RecordedServer } from "./recorder.ts";
import { SCOPE_FIELDS, type Scope } from "./scope.ts";
import { isName as isWholeName } from "./valid.ts";

/** What a host asks of an agent. */
export type Request =
  | { readonly agentStats: "get"; readonly id: number; readonly all: boolean }
  | { readonly agentStats: "forget" | "add"; readonly id: number; readonly userId: string }
  | { readonly agentStats: "reset"; readonly id: number; readonly scope: Scope };

/** What an agent says: `changed` when there is something to ask for, else the answer to a request. */
export type Reply =
  | { readonly agentStats: "changed"; readonly urgent: boolean }
  | ({ readonly agentStats: "stats"; readonly id: number } & Recorded);

/** More than any real agent has; a peer that sends more is broken or hostile, and nothing of it is believed. */
export const MOST_SERVERS = 100_000;
const LONGEST_NAME = 4_096;

/** The message as a request; null when it is not one. Nothing that a peer sends is believed unseen. */
export function requestOf(message: unknown): Request | null {
  if (!isObject(message) || !isId(message.id)) return null;
  const { agentStats, id } = message;
  if (agentStats === "get") return { agentStats, id, all: message.all === true };
  if ((agentStats === "forget" || agentStats === "add") && isName(message.userId)) {
    return { agentStats, id, userId: message.userId };
  }
  const scope = scopeOf(message.scope);
  return agentStats === "reset" && scope ? { agentStats, id, scope } : null;
}

/** The message as a reply; null when it is not one. */
export function replyOf(message: unknown): Reply | null {
  if (!isObject(message)) return null;
  const { agentStats, id } = message;
  if (agentStats === "changed") return { agentStats, urgent: message.urgent === true };
  const stats = agentStats === "stats" && isId(id) ? snapshotOf(message) : null;
  return stats && isId(id) ? { agentStats: "stats", id, ...stats } : null;
}

/** Whatever answered `getServersStats`, as a snapshot; null when it is none. Entries that are none are left out. */
export function snapshotOf(given: unknown): Recorded | null {
  if (!isObject(given) || !Array.isArray(given.servers) || given.servers.length > MOST_SERVERS) return null;
  const servers = given.servers.flatMap((each) => serverOf(each) ?? []);
  return {
    session: isName(given.session) ? given.session : null,
    servers,
    rejected: numbersOf(given.rejected, isCount) as Recorded["rejected"],
  };
}

function serverOf(given: unknown): RecordedServer | null {
  if (!isObject(given)) return null;
  const { protocol, server } = given;
  const userId = typeof given.userId === "number" ? String(given.userId) : given.userId;
  if (!isName(protocol) || !isName(userId) || !isName(server)) return null;
  const session = numbersOf(given.session, isCount);
  return {
    protocol,
    userId,
    server,
    session,
    total: isObject(given.total) ? numbersOf(given.total, isCount) : session,
    live: numbersOf(given.live, Number.isFinite),
  };
}

function numbersOf(given: unknown, isNumber: (value: unknown) => boolean): Record<string, number> {
  if (!isObject(given)) return {};
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, number] => isName(entry[0]) && isNumber(entry[1])),
  );
}

function scopeOf(given: unknown): Scope | null {
  if (!isObject(given) || Array.isArray(given)) return null;
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  // A field that is not known here would narrow the scope: without it, more would be reset than was asked for.
  return named.every(([name, value]) => SCOPE_FIELDS.has(name) && isName(value))
    ? (Object.fromEntries(named) as Scope)
    : null;
}

function isName(value: unknown): value is string {
  return isWholeName(value) && value.length <= LONGEST_NAME;
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

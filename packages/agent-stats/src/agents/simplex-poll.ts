import { type CoreAnswer, type CoreConnection, isObject, SimplexCoreError } from "./simplex-core.ts";
import { parseSimplex, type SimplexStats } from "./simplex-parse.ts";
import { OTHER_USERS } from "./simplex-presented.ts";
import type { SimplexProtocol } from "./simplex-protocols.ts";
import type { SimplexRow } from "./simplex-rows.ts";

/** What a core told when it was asked once around. */
export interface Poll {
  readonly startedAt: Date | null;
  /** Rows of the users who could be asked about. The core answers for its active user only, in most versions. */
  readonly rows: readonly SimplexRow[];
  /** Everybody who exists, by the agent's ids; null where the core does not tell. */
  readonly users: ReadonlySet<string> | null;
  readonly unknownCounters: Readonly<Record<SimplexProtocol, readonly string[]>>;
}

interface User {
  /** As commands name it. */
  readonly chatId: string;
  /** As the agent counts it. */
  readonly agentId: string;
}

/** How often a poll begins anew because the statistics were reset while it was under way. */
const MOST_ROUNDS = 3;

/**
 * Asks a core who its users are, and what each counted.
 *
 * @throws SimplexCoreError, SimplexFormatError
 */
export async function poll(core: CoreConnection, withinMs: number): Promise<Poll> {
  const listed = await listUsers(core, withinMs);
  const users = listed ?? (await activeUser(core, withinMs));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const summaries: SimplexStats[] = [];
    for (const user of users) {
      const stats = await summaryOf(core, user, withinMs);
      if (stats) summaries.push(stats);
    }
    const [first] = summaries;
    if (!first) throw new SimplexCoreError("the core tells of none of its users");
    const starts = new Set(summaries.map(({ startedAt }) => startedAt?.getTime() ?? null));
    // Two dates: one half is from before a reset.
    if (starts.size > 1) continue;
    return {
      startedAt: first.startedAt,
      rows: summaries.flatMap(({ rows }) => rows.filter(({ userId }) => userId !== OTHER_USERS)),
      users: listed && new Set(listed.map(({ agentId }) => agentId)),
      unknownCounters: {
        smp: summaries.flatMap(({ unknownCounters }) => unknownCounters.smp),
        xftp: summaries.flatMap(({ unknownCounters }) => unknownCounters.xftp),
        ntf: summaries.flatMap(({ unknownCounters }) => unknownCounters.ntf),
      },
    };
  }
  throw new SimplexCoreError("the core's statistics are reset again and again");
}

/** The agent's ids of everybody who exists now; null where the core does not tell. */
export async function userIds(core: CoreConnection, withinMs: number): Promise<ReadonlySet<string> | null> {
  const users = await listUsers(core, withinMs);
  return users && new Set(users.map(({ agentId }) => agentId));
}

async function listUsers(core: CoreConnection, withinMs: number): Promise<User[] | null> {
  const { type, body } = await core.ask("/users", withinMs);
  if (type !== "usersList") return null;
  const users = Array.isArray(body.users) ? body.users.map((each: unknown) => userOf(isObject(each) && each.user)) : [];
  // A list of nobody, or with somebody who cannot be read, would take the others for deleted.
  if (users.length === 0 || users.includes(null)) throw new SimplexCoreError("the core's list of users cannot be read");
  return users as User[];
}

async function activeUser(core: CoreConnection, withinMs: number): Promise<User[]> {
  const { type, body } = await core.ask("/user", withinMs);
  const user = type === "activeUser" ? userOf(body.user) : null;
  if (!user) throw new SimplexCoreError("the core has no active user");
  return [user];
}

/** Null where the core refuses: of users who are not active now, most versions tell nothing. */
async function summaryOf(core: CoreConnection, user: User, withinMs: number): Promise<SimplexStats | null> {
  const answer = await core.ask(`/get servers summary ${user.chatId}`, withinMs);
  if (answer.type === "chatCmdError" || answer.type === "error") return null;
  assertIsOf(user, answer);
  return parseSimplex(answer.body);
}

/** An answer about somebody else would give one user the numbers of another. */
function assertIsOf({ chatId, agentId }: User, { type, body }: CoreAnswer): void {
  const told = type === "agentServersSummary" ? userOf(body.user) : null;
  if (told?.chatId !== chatId || told.agentId !== agentId) {
    throw new SimplexCoreError("the core answered something else than it was asked");
  }
}

function userOf(given: unknown): User | null {
  if (!isObject(given)) return null;
  const chatId = idOf(given.userId);
  const agentId = given.agentUserId === undefined ? chatId : idOf(given.agentUserId);
  return chatId === null || agentId === null ? null : { chatId, agentId };
}

function idOf(given: unknown): string | null {
  const id = typeof given === "number" ? String(given) : given;
  return typeof id === "string" && /^(0|[1-9]\d{0,18})$/.test(id) ? id : null;
}

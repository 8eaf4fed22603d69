import { assertOptions, userIdOf } from "../record/given.ts";
import { JsonAt, jsonOf, Notes, type SimplexNote } from "./simplex-json.ts";
import { isPresented, OTHER_USERS, type PresentedLayout, readPresented } from "./simplex-presented.ts";
import { PROGRESS_GAUGES, PROTOCOL_NAMES, type SimplexProtocol } from "./simplex-protocols.ts";
import {
  addressAt,
  noteUnknown,
  type Reading,
  Rows,
  readCounters,
  readSessions,
  readSubs,
  type SimplexRow,
} from "./simplex-rows.ts";

/**
 * Which JSON it was. `persisted`: `servers_stats` of the core's agent database. `agent`: simplexmq's own summary.
 * The others: what the app shows and shares, and the core answers; three versions of it.
 */
export type SimplexLayout = "persisted" | "agent" | PresentedLayout;

/** What a SimpleX core counted, as far as some JSON of it tells. */
export interface SimplexStats {
  readonly layout: SimplexLayout;
  /** When the core began to count, cut to a millisecond; a reset moves it. Null where it is not told. */
  readonly startedAt: Date | null;
  readonly rows: readonly SimplexRow[];
  /** Whose the current user's rows are; null where every row names its user. Other rows are then `others`. */
  readonly currentUser: string | null;
  /** Servers that the current user has configured. */
  readonly knownServers: readonly string[];
  /** Counters of a later version, by protocol. They are among the rows' counters. */
  readonly unknownCounters: Readonly<Record<SimplexProtocol, readonly string[]>>;
  /** Fields that this version does not know. */
  readonly unknown: readonly SimplexNote[];
  /** Fields that were expected and are not there: they count as zero. */
  readonly missing: readonly SimplexNote[];
  /** Totals that are not the sums of their servers: the servers are believed. */
  readonly inconsistent: readonly SimplexNote[];
}

export interface ParseSimplexOptions {
  /** Whose summary it is, where the JSON does not tell. Default: `"current"`. */
  readonly currentUser?: string | number;
}

/** Deep enough for every envelope. */
const MOST_ENVELOPES = 6;

/**
 * Reads the statistics of a SimpleX core from JSON: the text, or what it was parsed to. Known are `servers_stats` (as it
 * is, or in its row), `AgentServersSummary`, `PresentedServersSummary` of all versions, and the answer to
 * `/get servers summary` with or without its envelopes.
 *
 * @throws TypeError, RangeError when `currentUser` is no user
 * @throws SimplexFormatError which tells the place; then nothing of it is to be believed
 * @see simplexmq 6.5.5 `Simplex.Messaging.Agent.Stats`, simplex-chat `Simplex.Chat.Stats`
 */
export function parseSimplex(json: unknown, options: ParseSimplexOptions = {}): SimplexStats {
  assertOptions(options);
  const ofOptions = userIdOf(options.currentUser ?? "current");
  const root = typeof json === "string" ? jsonOf(json) : new JsonAt(json, "$");
  const notes = { unknown: new Notes(), missing: new Notes() };
  const unknownCounters = { smp: new Set<string>(), xftp: new Set<string>(), ntf: new Set<string>() };
  const reading: Reading = { ...notes, unknownCounters };
  const { payload, user, startedAt } = unwrap(root, reading);
  const currentUser = user ?? ofOptions;
  if (currentUser === OTHER_USERS || currentUser === "")
    throw new RangeError("currentUser is the id or name of a user");
  const read = readPayload(payload, currentUser, reading);
  return {
    layout: read.layout,
    startedAt: startedAt ?? startOf(payload, read.layout, reading),
    rows: read.rows.all(),
    currentUser: read.isPresented ? currentUser : null,
    knownServers: read.knownServers,
    unknownCounters: {
      smp: [...unknownCounters.smp],
      xftp: [...unknownCounters.xftp],
      ntf: [...unknownCounters.ntf],
    },
    unknown: notes.unknown.all(),
    missing: notes.missing.all(),
    inconsistent: read.inconsistent.all(),
  };
}

interface Payload {
  readonly payload: JsonAt;
  readonly user: string | null;
  readonly startedAt: Date | null;
}

/** Takes off the envelopes: of the WebSocket, of the answer, of the database's row. */
function unwrap(at: JsonAt, reading: Reading, depth = 0): Payload {
  if (depth > MOST_ENVELOPES) return at.fault("there are too many envelopes");
  const [only, ...more] = Array.isArray(at.value) ? at.items() : [];
  if (only && more.length === 0 && only.has("servers_stats")) return unwrap(only, reading, depth + 1);
  for (const envelope of ["resp", "Right", "result"]) {
    if (at.has(envelope)) return unwrap(at.at(envelope), reading, depth + 1);
  }
  if (at.has("Left") || at.at("type").value === "chatCmdError" || at.at("type").value === "error") {
    return at.fault("the core answered with an error, not with statistics");
  }
  if (at.has("servers_stats")) return rowOf(at, reading);
  if (!at.has("serversSummary")) return { payload: at, user: null, startedAt: null };
  noteUnknown(at, ["type", "user", "serversSummary"], reading);
  const user = at.at("user");
  if (user.isNothing) reading.missing.add(user);
  // The agent's own id of the user, as its database has it. The chat's can be another.
  const id = user.at(user.has("agentUserId") ? "agentUserId" : "userId");
  return { payload: at.at("serversSummary"), user: user.isNothing ? null : id.userId(), startedAt: null };
}

const NOTHING_COUNTED = { smpServersStats: [], xftpServersStats: [], ntfServersStats: [] };

/** The row of the core's agent database. Its text is null after a reset. */
function rowOf(at: JsonAt, reading: Reading): Payload {
  noteUnknown(at, ["servers_stats_id", "servers_stats", "started_at", "created_at", "updated_at"], reading);
  const text = at.at("servers_stats");
  const startedAt = at.at("started_at");
  const isNull = text.value === null;
  const payload = isNull ? text.of(NOTHING_COUNTED) : jsonOf(text.text(), text.path);
  return { payload, user: null, startedAt: startedAt.isNothing ? null : startedAt.date() };
}

function startOf(payload: JsonAt, layout: SimplexLayout, { missing }: Reading): Date | null {
  if (layout === "persisted") return null;
  const at = payload.at("statsStartedAt");
  if (!at.isNothing) return at.date();
  missing.add(at);
  return null;
}

interface ReadPayload {
  readonly layout: SimplexLayout;
  readonly isPresented: boolean;
  readonly rows: Rows;
  readonly knownServers: readonly string[];
  readonly inconsistent: Notes;
}

function readPayload(at: JsonAt, currentUser: string, reading: Reading): ReadPayload {
  if (isPresented(at)) return { ...readPresented(at, currentUser, reading), isPresented: true };
  const isAgent = AGENT_ONLY.some((field) => at.has(field));
  if (!isAgent && !MAPS.some((field) => at.has(field))) {
    return at.fault("this is none of the known forms of SimpleX's statistics");
  }
  const rows = new Rows();
  noteUnknown(at, isAgent ? [...MAPS, ...AGENT_ONLY] : MAPS, reading);
  for (const protocol of PROTOCOL_NAMES) {
    readMap(protocol, at.at(`${protocol}ServersStats`), rows, reading, (stats, row) =>
      readCounters(protocol, stats, row.counters, reading),
    );
    if (!isAgent) continue;
    readMap(protocol, at.at(`${protocol}ServersSessions`), rows, reading, (sessions, row) =>
      readSessions(sessions, row.live, reading),
    );
  }
  if (isAgent) {
    readMap("smp", at.at("smpServersSubs"), rows, reading, (subs, row) => readSubs(subs, row.live, reading));
    for (const [field, gauge] of Object.entries(PROGRESS_GAUGES)) {
      readInProgress(at.at(PROGRESS_LISTS[field as keyof typeof PROGRESS_GAUGES]), gauge, rows, reading);
    }
  }
  const layout = isAgent ? "agent" : "persisted";
  return { layout, isPresented: false, rows, knownServers: [], inconsistent: new Notes() };
}

const MAPS = PROTOCOL_NAMES.map((protocol) => `${protocol}ServersStats`);
const PROGRESS_LISTS = {
  rcvInProgress: "xftpRcvInProgress",
  sndInProgress: "xftpSndInProgress",
  delInProgress: "xftpDelInProgress",
} as const;
const AGENT_ONLY = [
  "statsStartedAt",
  ...PROTOCOL_NAMES.map((protocol) => `${protocol}ServersSessions`),
  "smpServersSubs",
  ...Object.values(PROGRESS_LISTS),
];

/** A map whose keys are pairs: a list of `[[userId, server], value]`. */
function readMap(
  protocol: SimplexProtocol,
  at: JsonAt,
  rows: Rows,
  reading: Reading,
  read: (value: JsonAt, row: ReturnType<Rows["row"]>) => void,
): void {
  if (at.isNothing) reading.missing.add(at);
  for (const entry of at.isNothing ? [] : at.items()) {
    const [key, value] = entry.pair();
    const [user, server] = key.pair();
    read(value, rows.row(protocol, user.userId(), server, at.path));
  }
}

/** The core does not tell whose files are on their way: every user of the server is shown them, as SimpleX does. */
function readInProgress(at: JsonAt, gauge: string, rows: Rows, reading: Reading): void {
  const files = rows.values().filter(({ protocol }) => protocol === "xftp");
  for (const { live } of files) live.set(gauge, 0);
  if (at.isNothing) reading.missing.add(at);
  const servers = new Set((at.isNothing ? [] : at.items()).map((server) => identityAt(server)));
  for (const { address, live } of files) if (servers.has(address.keyHash)) live.set(gauge, 1);
}

function identityAt(at: JsonAt): string {
  return addressAt(at, "xftp").keyHash;
}

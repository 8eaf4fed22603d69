import { PUBLIC_SERVERS } from "../../report/public-servers.ts";
import { groupByUse, type UseRule } from "../../summarise/groups.ts";
import type { ServerStats, ServersStats } from "../../summarise/servers-stats.ts";
import { added } from "./figures.ts";
import type { ServerRow } from "./select.ts";

/** simplexmq's rule: what a server did as proxy only, or what was sent to it through one, is no use of it. */
const DIRECT = [
  ...["sentDirect", "sentDirectAttempts", "sentProxied", "sentProxiedAttempts", "recvMsgs", "connCreated"],
  ...["connSecured", "connSubscribed", "connSubAttempts"],
];

export interface Group {
  readonly key: "currentlyUsed" | "previouslyUsed" | "onlyProxied";
  readonly title: string;
  readonly help: string;
  readonly rows: readonly ServerRow[];
}

/** Servers as SimpleX groups them. A file holds no live values: there, what the running session counted is used now. */
export function groupsOf(rows: readonly ServerRow[], { sessions, servers }: ServersStats): Group[] {
  const running = sessions.some(({ how }) => how === "running");
  const live = servers.some((server) => Object.keys(server.live).length > 0);
  const isUsedNow = (server: ServerStats) =>
    Object.values(live ? server.live : running ? server.session : {}).some((value) => value > 0);
  const wasUsed = ({ protocol, overall }: ServerStats) =>
    protocol === "smp"
      ? DIRECT.some((counter) => (overall[counter] ?? 0) > 0)
      : Object.values(overall).some((value) => value > 0);
  const rule: UseRule = { isUsedNow, wasUsed };
  const rules = Object.fromEntries(rows.map(({ protocol }) => [protocol, rule]));
  const whole = new Map(rows.map((row) => [summed(row), row]));
  const { currentlyUsed, previouslyUsed, onlyProxied } = groupByUse([...whole.keys()], rules);
  const rowsIn = (group: readonly ServerStats[]) => group.map((server) => whole.get(server) as ServerRow);
  const how = live ? "with an open connection" : "with counts of the session that runs now";
  return [
    { key: "currentlyUsed", title: "Currently used", help: `Servers ${how}.`, rows: rowsIn(currentlyUsed) },
    {
      key: "previouslyUsed",
      title: "Previously used",
      help: "Used before, and not now.",
      rows: rowsIn(previouslyUsed),
    },
    {
      key: "onlyProxied",
      title: "Only proxied",
      help: "Reached through another server only.",
      rows: rowsIn(onlyProxied),
    },
  ];
}

function summed({ keys, protocol, server }: ServerRow): ServerStats {
  const sum = (part: "past" | "session" | "overall" | "live") => added(keys.map((key) => key[part]));
  const [past, session, overall, live] = [sum("past"), sum("session"), sum("overall"), sum("live")];
  return { protocol, server, userId: "", trackedSince: null, past, session, overall, live };
}

const PUBLIC = new Set(PUBLIC_SERVERS);

/** Whether it is one's own, or that of few: not one of those that everybody has. */
export function isOwn({ server }: Pick<ServerRow, "server">): boolean {
  return !PUBLIC.has(server);
}

import { printable } from "./words.ts";

/** How servers and users are called on the page: by their names, or so that somebody may look over a shoulder. */
export interface Names {
  readonly hidden: boolean;
  /** In lists: the host, where that tells which server it is. */
  server(server: string): string;
  /** The whole address. */
  address(server: string): string;
  user(userId: string): string;
}

const ALL_SERVERS = "all servers";
const DELETED_USERS = "deleted users";

export function namesOf(servers: readonly string[], users: readonly string[], hidden: boolean): Names {
  const numbers = new Map([...servers].sort().map((server, index) => [server, index + 1]));
  const places = new Map([...users].sort().map((user, index) => [user, index + 1]));
  const hosts = new Map<string, number>();
  for (const server of servers) hosts.set(hostOf(server), (hosts.get(hostOf(server)) ?? 0) + 1);
  const masked = (server: string) => `server ${numbers.get(server) ?? "?"}`;
  return {
    hidden,
    server(server) {
      if (server === "") return ALL_SERVERS;
      if (hidden) return masked(server);
      const host = hostOf(server);
      return printable(hosts.get(host) === 1 ? host : server);
    },
    address: (server) => (server === "" ? ALL_SERVERS : hidden ? masked(server) : printable(server)),
    user: (userId) =>
      userId === "" ? DELETED_USERS : hidden ? `profile ${places.get(userId) ?? "?"}` : printable(userId),
  };
}

/** The first host of an address, with its port: what people know a server by. */
function hostOf(server: string): string {
  const authority = server.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").split(/[/?#]/, 1)[0] ?? "";
  const places = authority.slice(authority.lastIndexOf("@") + 1).split(",");
  return places[0] || server;
}

import { printable } from "./cells.ts";

/**
 * Servers as people call them: by their host, where it is the only one of that host; else by the whole address. The key
 * of an address such as `smp://key@host1,host2:5223` says nothing to anybody.
 */
export function serverNames(servers: Iterable<string>): (server: string) => string {
  const byHost = new Map<string, Set<string>>();
  for (const server of servers) {
    const host = hostOf(server);
    byHost.set(host, (byHost.get(host) ?? new Set()).add(server));
  }
  return (server) => {
    const host = hostOf(server);
    return printable(host !== "" && byHost.get(host)?.size === 1 ? host : server || "all servers");
  };
}

function hostOf(server: string): string {
  const authority = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i.exec(server)?.[1] ?? server;
  const hosts = authority.slice(authority.lastIndexOf("@") + 1);
  const first = hosts.split(",")[0] ?? "";
  return first.replace(/:\d+$/, "");
}

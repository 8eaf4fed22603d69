/** What must not stand in a report. */
export interface KnownNames {
  readonly servers: ReadonlySet<string>;
  readonly users: ReadonlySet<string>;
}

/** The names in any rows. The empty user and server of anonymised sums are no names. */
export function knownNames(rows: Iterable<{ readonly userId: string; readonly server: string }>): KnownNames {
  const servers = new Set<string>();
  const users = new Set<string>();
  for (const { userId, server } of rows) {
    if (server !== "") servers.add(server);
    if (userId !== "") users.add(userId);
  }
  return { servers, users };
}

/** The parts of an address by which somebody would know the server: hosts, ports, key hash, login. */
export function partsOf(server: string): string[] {
  const address = server.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "");
  const authority = address.split(/[/?#]/, 1)[0] ?? "";
  const at = authority.lastIndexOf("@");
  const login = at < 0 ? "" : authority.slice(0, at);
  const places = authority.slice(at + 1);
  const hosts = places.split(",").map((place) => place.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1"));
  // With a dot at its end, a host is the same.
  const bare = hosts.map((host) => host.replace(/\.$/, ""));
  const more = [...bare, ...bare.flatMap(asciiForm)];
  const parts = [server, address, authority, places, ...places.split(","), ...hosts, ...more];
  return [...new Set([...parts, login, ...login.split(":")])].filter((part) => part !== "");
}

/** A name in another script is also known in the form that is looked up: `xn--…`. */
function asciiForm(host: string): string[] {
  // Addresses in brackets and plain names stay what they are.
  if (!/[^\0-\x7f]/.test(host) || !URL.canParse(`http://${host}`)) return [];
  return [new URL(`http://${host}`).hostname];
}

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

/** From this length on, a piece of an address is known by itself: what stands in a path, the name of an onion host. */
const LONG_PIECE = 8;
const LONG_LABEL = 16;

/** The parts of an address by which somebody would know the server: hosts, their domains, ports, key hash, login, path. */
export function partsOf(server: string): string[] {
  const address = server.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "");
  const authority = address.split(/[/?#]/, 1)[0] ?? "";
  const at = authority.lastIndexOf("@");
  const login = at < 0 ? [] : [authority.slice(0, at), ...authority.slice(0, at).split(":")];
  const places = authority.slice(at + 1);
  const hosts = places.split(",").map((place) => place.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1"));
  // With a dot at its end, a host is the same.
  const bare = hosts.map((host) => host.replace(/\.$/, ""));
  const known = [...bare, ...bare.flatMap(lookedUp)];
  const pieces = address.slice(authority.length).split(/[/?#&=;]/);
  const parts = [
    ...[server, address, authority, places, ...places.split(","), ...hosts, ...known],
    ...known.flatMap(domainsOf),
    ...known.flatMap((host) => host.split(".").filter((label) => label.length >= LONG_LABEL)),
    // Base64 is often written without the signs at its end.
    ...login.flatMap((part) => [part, part.replace(/=+$/, "")]),
    ...pieces.filter((piece) => piece.length >= LONG_PIECE),
  ];
  return [...new Set(parts)].filter((part) => part !== "");
}

/** A host as it is looked up: in another script as `xn--…`, an address as `10.0.0.7` however it is written. */
function lookedUp(host: string): string[] {
  const url = `http://${host.includes(":") ? `[${host}]` : host}`;
  return URL.canParse(url) ? [new URL(url).hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "")] : [];
}

/** The domains that a host belongs to, but for the last word alone: who knows `anna.example`, knows `smp.anna.example`. */
function domainsOf(host: string): string[] {
  if (/^[\d.]*$/.test(host) || host.includes(":")) return [];
  const labels = host.split(".");
  return labels.slice(1, -1).map((_, i) => labels.slice(i + 1).join("."));
}

/** A user's name, and what it is made of: the parts of a person's name, both sides of an e-mail address. */
export function partsOfUser(user: string): string[] {
  const parts = user.split(/[\s@]+/).filter((part) => part.length > 2 && /\p{L}/u.test(part));
  return [...new Set([user, ...parts])];
}

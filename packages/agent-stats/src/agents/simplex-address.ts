import { assertGiven, isObject } from "../record/given.ts";
import type { SimplexProtocol } from "./simplex-protocols.ts";

/** The address of a SimpleX server. */
export interface SimplexServer {
  readonly protocol: SimplexProtocol;
  /** The fingerprint of the server's certificate, base64url with its padding. It is what identifies a server. */
  readonly keyHash: string;
  /** At least one: domain names, IP addresses, `.onion` names. */
  readonly hosts: readonly string[];
  /** Null: the protocol's default. */
  readonly port: number | null;
}

/** Far more than any address; the same limit as for names elsewhere. */
const LONGEST_ADDRESS = 4_096;
const ADDRESS = /^([a-z]+):\/\/([^@]*)@(.*)$/s;
const SCHEMES: readonly string[] = ["smp", "xftp", "ntf"] satisfies readonly SimplexProtocol[];
const BASE64URL = /^[A-Za-z0-9_-]+={0,2}$/;
const ONION = /^[a-z0-9]+\.onion$/;
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;
const BARE_IPV6 = /^[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:]*$/;
const NO_HOST = /[\s:#,;/@[\]\p{Cc}]/u;

/**
 * Reads `<scheme>://<key hash>@<host>[,<host>…][:<port>]` as simplexmq 6.5.5 writes it. As there, a key hash may have any
 * length: an address with one that no certificate has can be configured, and is counted too.
 *
 * @throws TypeError which says what is wrong, and holds nothing of the address
 */
export function parseSimplexServer(text: string): SimplexServer {
  assertGiven(typeof text === "string", "it is no text");
  if (text.length > LONGEST_ADDRESS) throw new TypeError(`it is longer than ${LONGEST_ADDRESS} characters`);
  const [, scheme, keyHash, rest] = ADDRESS.exec(text) ?? [];
  if (scheme === undefined || keyHash === undefined || rest === undefined) {
    throw new TypeError("it is not of the form scheme://key-hash@host");
  }
  if (!SCHEMES.includes(scheme)) throw new TypeError("its scheme is none of smp, xftp, ntf");
  assertKeyHash(keyHash);
  const [hostList, port] = splitPort(rest);
  const hosts = hostList.split(",");
  for (const host of hosts) assertHost(host);
  return { protocol: scheme as SimplexProtocol, keyHash, hosts, port };
}

/** The address as simplexmq writes it: what {@link parseSimplexServer} read, to the letter. */
export function formatSimplexServer(server: SimplexServer): string {
  assertServer(server);
  const { protocol, keyHash, hosts, port } = server;
  return `${protocol}://${keyHash}@${hosts.join(",")}${port === null ? "" : `:${port}`}`;
}

/** The same for two addresses of one server: its hosts may change, its key may not. */
export function serverIdentity(server: SimplexServer): string {
  assertServer(server);
  const { protocol, keyHash } = server;
  return `${protocol}://${keyHash}`;
}

function assertServer(server: SimplexServer): void {
  const isServer =
    isObject(server) &&
    [server.protocol, server.keyHash].every((text) => typeof text === "string") &&
    Array.isArray(server.hosts) &&
    server.hosts.every((host) => typeof host === "string") &&
    (server.port === null || typeof server.port === "number");
  assertGiven(isServer, "server must be what parseSimplexServer reads");
}

/** The order in which SimpleX lists servers: by hosts (IPv4, IPv6, onion, names), port, key hash. */
export function compareServers(a: SimplexServer, b: SimplexServer): number {
  for (let i = 0; i < Math.min(a.hosts.length, b.hosts.length); i++) {
    const order = compareHosts(a.hosts[i] as string, b.hosts[i] as string);
    if (order !== 0) return order;
  }
  return (
    a.hosts.length - b.hosts.length ||
    compare(String(a.port ?? ""), String(b.port ?? "")) ||
    compare(bytesOf(a.keyHash), bytesOf(b.keyHash))
  );
}

function assertKeyHash(keyHash: string): void {
  if (keyHash === "") throw new TypeError("its key hash is empty");
  if (keyHash.includes(":")) throw new TypeError("it holds a password, which no statistics do");
  if (!BASE64URL.test(keyHash)) throw new TypeError("its key hash is not base64url");
  if (keyHash.length % 4 !== 0) throw new TypeError("its key hash is cut off, or has lost its padding");
  // Two spellings of one hash would be two servers.
  if (btoa(bytesOf(keyHash)) !== toBase64(keyHash))
    throw new TypeError("its key hash is not in its one valid spelling");
}

function toBase64(keyHash: string): string {
  return keyHash.replaceAll("-", "+").replaceAll("_", "/");
}

function bytesOf(keyHash: string): string {
  return atob(toBase64(keyHash));
}

/** The port belongs to the whole list. simplexmq writes IPv6 without brackets, and reads no port after that. */
function splitPort(rest: string): readonly [hosts: string, port: number | null] {
  const last = rest.slice(rest.lastIndexOf(",") + 1);
  if (BARE_IPV6.test(last) || !/:[^\]]*$/.test(last)) return [rest, null];
  const colon = rest.lastIndexOf(":");
  const digits = rest.slice(colon + 1);
  const port = Number(digits);
  if (!/^[1-9]\d{0,4}$/.test(digits) || port > 65_535) throw new TypeError("its port is no number from 1 to 65535");
  return [rest.slice(0, colon), port];
}

function assertHost(host: string): void {
  if (host === "") throw new TypeError("one of its hosts is empty");
  const isIpv6 = host.startsWith("[") || BARE_IPV6.test(host);
  if (isIpv6) assertIpv6(host.replace(/^\[(.*)\]$/s, "$1"));
  else if (NO_HOST.test(host)) throw new TypeError("one of its hosts holds a character that no host has");
  if (host.endsWith(".onion") && !ONION.test(host)) throw new TypeError("one of its onion hosts is invalid");
  if (IPV4.test(host) && host.split(".").some((part) => Number(part) > 255 || (part.length > 1 && part[0] === "0"))) {
    throw new TypeError("one of its IP addresses is invalid");
  }
}

function assertIpv6(host: string): void {
  if (!/^[0-9a-fA-F:.]+$/.test(host) || !URL.canParse(`http://[${host}]`)) {
    throw new TypeError("one of its IP addresses is invalid");
  }
}

function compareHosts(a: string, b: string): number {
  const [kind, other] = [kindOf(a), kindOf(b)];
  if (kind !== other || kind !== IP) return kind - other || compare(a, b);
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)];
  return left.map((part, i) => part - (right[i] as number)).find((order) => order !== 0) ?? 0;
}

const IP = 0;

function kindOf(host: string): number {
  if (IPV4.test(host)) return IP;
  if (host.includes(":")) return 1;
  return host.endsWith(".onion") ? 2 : 3;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The header that a page of another origin cannot send. */
export const CSRF_HEADER = "x-agent-stats-csrf";
/** Where the link of the terminal leads. */
export const LAUNCH_PATH = "/launch";

/** A request that is not answered, and with which status. */
export interface Refusal {
  readonly status: number;
  readonly why: string;
}

export interface GuardOptions {
  /** The `Host` headers that are ours, e.g. `127.0.0.1:41234`. */
  readonly hosts: ReadonlySet<string>;
  readonly cookieName: string;
  readonly cookie: string;
  readonly csrf: string;
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);
/** Headers of which a second one would leave open which of them counts. */
const ONCE = ["host", "origin", "cookie", "content-type", "content-length", "sec-fetch-site", CSRF_HEADER];

/**
 * Whether a request comes from the page that the owner opened, and from nobody else: not from another machine, not from
 * another site in the same browser (by whatever name it reaches us), not from another user's program on this machine.
 * Looks at the request as it came, before anything has interpreted it.
 */
export function refusalOf(request: IncomingMessage, options: GuardOptions): Refusal | null {
  return (
    wayOf(request, options) ?? originOf(request, options) ?? (isLaunch(request) ? null : ownerOf(request, options))
  );
}

function wayOf(request: IncomingMessage, { hosts }: GuardOptions): Refusal | null {
  if (!LOOPBACK.has(request.socket.remoteAddress ?? "")) return { status: 403, why: "not from this machine" };
  const names = request.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
  const twice = ONCE.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (twice !== undefined) return { status: 400, why: `more than one ${twice}` };
  // A name that an attacker's DNS points to us is a name all the same.
  if (!hosts.has(request.headers.host ?? "")) return { status: 421, why: "not this server's address" };
  if (!/^\/(?!\/)[\x21-\x7e]*$/.test(request.url ?? "")) return { status: 400, why: "not a path" };
  if (request.headers.upgrade !== undefined) return { status: 400, why: "no other protocol is spoken here" };
  if (request.method !== "GET" && request.method !== "POST") return { status: 405, why: "only GET and POST" };
  return null;
}

function originOf({ headers, method }: IncomingMessage, { hosts }: GuardOptions): Refusal | null {
  const { origin, "sec-fetch-site": site } = headers;
  // Other ports of this machine are "same-site": cookies do not tell ports apart, so this must.
  if (site !== undefined && site !== "same-origin" && !(site === "none" && method === "GET")) {
    return { status: 403, why: "asked for by another site" };
  }
  if (origin !== undefined && origin !== `http://${headers.host}`) return { status: 403, why: "another origin" };
  if (method === "POST" && (origin === undefined || !hosts.has(origin.slice("http://".length)))) {
    return { status: 403, why: "no origin" };
  }
  return null;
}

/** Whether somebody follows the link of the terminal: the one thing that is answered to who is not signed in. */
export function isLaunch({ url, method }: IncomingMessage): boolean {
  return method === "GET" && (url ?? "").split("?", 1)[0] === LAUNCH_PATH;
}

function ownerOf({ headers, method }: IncomingMessage, options: GuardOptions): Refusal | null {
  if (!isSecret(cookiesIn(headers.cookie, options.cookieName), options.cookie)) {
    return { status: 401, why: "not signed in: start agent-stats view again, and open its link" };
  }
  if (method !== "POST") return null;
  if (!isSecret(headers[CSRF_HEADER], options.csrf)) return { status: 403, why: "not asked for by the page" };
  if (headers["content-type"] !== "application/json") return { status: 415, why: "not JSON" };
  return null;
}

/** The value of the one cookie of that name. Two of them: somebody else has set one, so none. */
function cookiesIn(header: string | undefined, name: string): string | undefined {
  const found = (header ?? "").split(/; */).filter((cookie) => cookie.startsWith(`${name}=`));
  return found.length === 1 ? found[0]?.slice(name.length + 1) : undefined;
}

/** Compares in a time that tells nothing of how much was right. */
export function isSecret(given: unknown, secret: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return typeof given === "string" && timingSafeEqual(digest(given), digest(secret));
}

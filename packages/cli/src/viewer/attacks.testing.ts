import { CSRF_HEADER } from "./guard.ts";
import type { Asked } from "./viewer.testing.ts";

export const PATHS = [
  "/",
  "/page.js",
  "/viewer.js",
  "/icon.svg",
  "/api/about",
  "/api/stats",
  "/api/sessions",
  "/api/timeline",
  "/api/events",
];
const POSTS = ["/api/report", "/api/report/keep", "/api/forget", "/api/reset"];

export interface Owner {
  readonly port: number;
  readonly cookie: string;
  readonly csrf: string;
  readonly token: string;
}

/** What the owner's page sends with a change. Each attack is one step away from it. */
export const change = ({ port, cookie, csrf }: Owner, path = "/api/reset"): Asked => ({
  method: "POST",
  path,
  headers: {
    cookie,
    origin: `http://127.0.0.1:${port}`,
    "content-type": "application/json",
    "sec-fetch-site": "same-origin",
    [CSRF_HEADER]: csrf,
  },
  body: JSON.stringify({ confirm: "reset" }),
});

const altered = (asked: Asked, headers: NonNullable<Asked["headers"]>, more: Partial<Asked> = {}): Asked => ({
  ...asked,
  ...more,
  headers: Object.fromEntries(Object.entries({ ...asked.headers, ...headers }).filter(([, value]) => value !== "")),
});

export const looking = (owner: Owner, headers: NonNullable<Asked["headers"]>, path = "/api/stats"): Asked => ({
  path,
  headers: { cookie: owner.cookie, ...headers },
});

const HOSTS: readonly ((port: number) => string)[] = [
  () => "evil.example",
  (port) => `evil.example:${port}`,
  (port) => `localhost:${port}`,
  () => "127.0.0.1",
  (port) => `127.0.0.1:${port + 1}`,
  (port) => `127.0.0.2:${port}`,
  (port) => `0.0.0.0:${port}`,
  (port) => `2130706433:${port}`,
  (port) => `127.0.0.1.:${port}`,
  (port) => `127.0.0.1:${port}@evil.example`,
  (port) => `127.0.0.1.evil.example:${port}`,
  (port) => `[::ffff:127.0.0.1]:${port}`,
  () => "",
];

const ORIGINS: readonly ((port: number) => string)[] = [
  () => "https://evil.example",
  (port) => `http://localhost:${port}`,
  (port) => `https://127.0.0.1:${port}`,
  (port) => `http://127.0.0.1:${port + 1}`,
  (port) => `http://[::1]:${port}`,
  (port) => `http://127.0.0.1:${port}.evil.example`,
  () => "null",
  () => "file://",
  () => "chrome-extension://abcdefghijklmnop",
];

const other = (secret: string) => `${secret.slice(0, -2)}${secret.endsWith("AA") ? "BB" : "AA"}`;

/** Every attack by its name. */
export const ATTACKS: readonly (readonly [string, (owner: Owner) => Asked])[] = [
  ...PATHS.map((path) => [`${path} without a cookie`, () => ({ path })] as const),
  ...POSTS.map(
    (path) => [`${path} without a cookie`, (owner: Owner) => altered(change(owner, path), { cookie: "" })] as const,
  ),
  ...HOSTS.map(
    (host) =>
      [`a page under the name ${host(1)}`, (owner: Owner) => looking(owner, { host: host(owner.port) })] as const,
  ),
  ["two Host headers", (owner) => looking(owner, { host: [`127.0.0.1:${owner.port}`, "evil.example"] })],
  ...ORIGINS.map(
    (origin) =>
      [`a change from ${origin(1)}`, (owner: Owner) => altered(change(owner), { origin: origin(owner.port) })] as const,
  ),
  ...ORIGINS.slice(0, 4).map(
    (origin) => [`a look from ${origin(1)}`, (owner: Owner) => looking(owner, { origin: origin(owner.port) })] as const,
  ),
  ["a change without an origin", (owner) => altered(change(owner), { origin: "" })],
  ["a look that another site asks for", (owner) => looking(owner, { "sec-fetch-site": "cross-site" })],
  ["a look that another port of this machine asks for", (owner) => looking(owner, { "sec-fetch-site": "same-site" })],
  [
    "a script element of another site",
    (owner) => looking(owner, { "sec-fetch-site": "cross-site", "sec-fetch-dest": "script" }, "/viewer.js"),
  ],
  ["live updates for another site", (owner) => looking(owner, { "sec-fetch-site": "cross-site" }, "/api/events")],
  [
    "a link on another site",
    (owner) => looking(owner, { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" }, "/"),
  ],
  ["a form of another site", (owner) => altered(change(owner), { "sec-fetch-site": "cross-site" })],
  ["a change from the address bar", (owner) => altered(change(owner), { "sec-fetch-site": "none" })],
  ["a change without the page's word", (owner) => altered(change(owner), { [CSRF_HEADER]: "" })],
  ["a change with another page's word", (owner) => altered(change(owner), { [CSRF_HEADER]: other(owner.csrf) })],
  ["a change with a longer word", (owner) => altered(change(owner), { [CSRF_HEADER]: `${owner.csrf}A` })],
  ["a form that is sent as text", (owner) => altered(change(owner), { "content-type": "text/plain" })],
  ["a form", (owner) => altered(change(owner), { "content-type": "application/x-www-form-urlencoded" })],
  ["another cookie", ({ cookie }) => ({ path: "/api/stats", headers: { cookie: other(cookie) } })],
  ["the start of the cookie", ({ cookie }) => ({ path: "/api/stats", headers: { cookie: cookie.slice(0, -1) } })],
  ["an empty cookie", ({ cookie }) => ({ path: "/api/stats", headers: { cookie: `${cookie.split("=")[0]}=` } })],
  [
    "a cookie beside one that was planted",
    ({ cookie }) => ({ path: "/api/stats", headers: { cookie: `${cookie}; ${cookie}x` } }),
  ],
  ["two Cookie headers", ({ cookie }) => ({ path: "/api/stats", headers: { cookie: ["a=b", cookie] } })],
  [
    "the cookie of another port",
    ({ cookie, port }) => ({ path: "/", headers: { cookie: cookie.replace(String(port), "1") } }),
  ],
  [
    "the cookie as a bearer token",
    ({ cookie }) => ({ path: "/", headers: { authorization: `Bearer ${cookie.split("=")[1]}` } }),
  ],
  ["the cookie in the address", ({ cookie }) => ({ path: `/api/stats?${cookie}` })],
  ["the link a second time", ({ token }) => ({ path: `/launch?token=${token}` })],
  ["a link that was guessed", ({ token }) => ({ path: `/launch?token=${other(token)}` })],
  ["a link without a token", () => ({ path: "/launch" })],
  [
    "a link on another site",
    ({ token }) => ({ path: `/launch?token=${token}`, headers: { "sec-fetch-site": "cross-site" } }),
  ],
  ["the link by POST", (owner) => ({ ...change(owner), path: `/launch?token=${owner.token}`, headers: {} })],
  [
    "OPTIONS, to ask for permission",
    (owner) => ({
      method: "OPTIONS",
      path: "/api/reset",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST", cookie: owner.cookie },
    }),
  ],
  ...["PUT", "DELETE", "PATCH", "HEAD", "TRACE", "PROPFIND"].map(
    (method) =>
      [method, (owner: Owner) => ({ ...change(owner), method, body: undefined }) as unknown as Asked] as const,
  ),
  [
    "a WebSocket",
    (owner) =>
      looking(owner, {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      }),
  ],
  ["an address of another server", (owner) => looking(owner, {}, `http://evil.example/`)],
  ["a path that begins with two slashes", (owner) => looking(owner, {}, "//evil.example/")],
  ["a change by GET", (owner) => looking(owner, {}, "/api/reset")],
  ["a file by its path", (owner) => looking(owner, {}, "/../../../../etc/passwd")],
  ["a file by its encoded path", (owner) => looking(owner, {}, "/%2e%2e/%2e%2e/etc/passwd")],
  ["the database by its name", (owner) => looking(owner, {}, "/stats.db")],
  ["a reset without its word", (owner) => ({ ...change(owner), body: "{}" })],
  [
    "a user to forget without its name",
    (owner) => ({ ...change(owner, "/api/forget"), body: '{"userId":"1","confirm":"2"}' }),
  ],
  ["a body that is no object", (owner) => ({ ...change(owner), body: "[]" })],
  ["a body that is not JSON", (owner) => ({ ...change(owner), body: "confirm=reset" })],
  [
    "a body without end",
    (owner) => ({ ...change(owner), body: JSON.stringify({ confirm: "reset", more: "x".repeat(20_000) }) }),
  ],
  ["a prototype to poison", (owner) => ({ ...change(owner), body: '{"__proto__":{"confirm":"reset"}}' })],
];

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { agentStats, bytesOf, FAR, NEAR } from "../cli.testing.ts";
import { CSRF_HEADER } from "./guard.ts";
import { type Asked, ask, served, signedIn } from "./viewer.testing.ts";

const PATHS = [
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

interface Owner {
  readonly port: number;
  readonly cookie: string;
  readonly csrf: string;
  readonly token: string;
}

/** What the owner's page sends with a change. Each attack is one step away from it. */
const change = ({ port, cookie, csrf }: Owner, path = "/api/reset"): Asked => ({
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

const looking = (owner: Owner, headers: NonNullable<Asked["headers"]>, path = "/api/stats"): Asked => ({
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
const ATTACKS: readonly (readonly [string, (owner: Owner) => Asked])[] = [
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

describe("the viewer's server", () => {
  test(`refuses each of ${ATTACKS.length} hostile requests, and tells and changes nothing`, {
    timeout: 120_000,
  }, async () => {
    expect(ATTACKS.length).toBeGreaterThanOrEqual(40);
    const server = await served(undefined, { canWrite: true });
    const token = server.link.split("token=")[1] ?? "";
    const owner: Owner = { port: server.port, token, ...(await signedIn(server)) };
    const before = await ask(server.port, looking(owner, {}));
    expect(JSON.parse(before.body).servers).toHaveLength(4);
    for (const [name, attack] of ATTACKS) {
      const { status, headers, body } = await ask(server.port, attack(owner));
      expect(status, name).toBeGreaterThanOrEqual(400);
      expect(status, name).toBeLessThan(500);
      expect(
        Object.keys(headers).filter((header) => header.startsWith("access-control-")),
        name,
      ).toEqual([]);
      expect(headers["set-cookie"], name).toBeUndefined();
      for (const secret of [owner.csrf, owner.cookie.split("=")[1] ?? "", NEAR, FAR, "root:"])
        expect(body, name).not.toContain(secret);
    }
    // Also not by way of the database: it still says the same.
    expect((await ask(server.port, looking(owner, {}))).body).toBe(before.body);
    // Control: the same requests without the attack are answered.
    for (const path of PATHS.filter((path) => path !== "/api/events")) {
      expect((await ask(server.port, looking(owner, { "sec-fetch-site": "same-origin" }, path))).status, path).toBe(
        200,
      );
    }
    expect((await ask(server.port, change(owner))).status).toBe(200);
    expect(JSON.parse((await ask(server.port, looking(owner, {}))).body).servers).toEqual([]);
  });

  test("changes nothing when it was not started to write, and nothing on GET", async () => {
    const server = await served();
    const owner: Owner = { port: server.port, token: "", ...(await signedIn(server)) };
    const before = bytesOf(server.path);
    for (const path of ["/api/reset", "/api/forget"]) {
      expect((await ask(server.port, { ...change(owner, path), body: '{"userId":"1","confirm":"1"}' })).status).toBe(
        404,
      );
    }
    for (const path of PATHS.filter((path) => path !== "/api/events")) await ask(server.port, looking(owner, {}, path));
    expect(bytesOf(server.path)["stats.db"]).toBe(before["stats.db"]);
  });

  test("cannot be reached under another address of this machine", async (context) => {
    const others = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(({ internal, family }) => !internal && family === "IPv4");
    const [first] = others;
    if (!first) return context.skip("this machine has no other address");
    const { port } = await served();
    const reached = await new Promise((resolve) => {
      const socket = connect({ host: first.address, port });
      socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
      onTestFinished(() => void socket.destroy());
    });
    expect(reached).toBe(false);
  });

  test("gives a cookie that no script reads and no other site sends, and a page that may do next to nothing", async () => {
    const server = await served();
    const first = await ask(server.port, { path: server.link.slice(server.link.indexOf("/launch")) });
    expect(first.status).toBe(303);
    expect(first.headers.location).toBe("/");
    expect(first.headers["set-cookie"]?.[0]).toMatch(/^agent-stats-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/);
    expect(server.link).toMatch(/\/launch\?token=[\w-]{43}$/);
    for (const path of ["/launch", "/"]) {
      const { headers } = await ask(server.port, { path });
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self';/);
      expect(headers["cache-control"]).toBe("no-store");
      expect(headers["referrer-policy"]).toBe("no-referrer");
    }
  });

  test("ends when nobody has looked for a while, and not while somebody does", async () => {
    const server = await served(undefined, { idleMs: 400 });
    const { cookie } = await signedIn(server);
    const page = connect({ host: "127.0.0.1", port: server.port });
    page.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nCookie: ${cookie}\r\n\r\n`);
    page.on("error", () => {});
    await wait(1_200);
    expect((await ask(server.port, { path: "/", headers: { cookie } })).status).toBe(200);
    page.destroy();
    expect(await server.ended).toBe("idle");
    await expect(ask(server.port, { path: "/" })).rejects.toThrow();
  });

  test("keeps the key of a saved report in the database only, so that a pseudonym can be resolved", async () => {
    const server = await served();
    const owner: Owner = { port: server.port, token: "", ...(await signedIn(server)) };
    const wishes = { caseId: "login", coarse: false, publicServers: true };
    const post = async (path: string, body: object) => {
      const answer = await ask(server.port, { ...change(owner, path), body: JSON.stringify(body) });
      return { status: answer.status, ...JSON.parse(answer.body) };
    };
    const looked = await post("/api/report", wishes);
    const { sqlcipherReader } = await import("agent-stats/sqlcipher");
    const reader = sqlcipherReader({ file: server.db, key: readFileSync(server.args[3] ?? "", "utf8").trim() });
    onTestFinished(() => reader.close());
    expect(await reader.reportKeys()).toEqual([]);
    expect(await post("/api/report/keep", { id: looked.id })).toEqual({ status: 200 });
    const [kept] = await reader.reportKeys();
    expect(kept).toMatchObject({ caseId: "login" });
    const { resolvePseudonym } = await import("agent-stats/report");
    const pseudonym = JSON.parse(looked.json).servers[0].server;
    const [resolved] = await resolvePseudonym(pseudonym, await reader.reportKeys(), [NEAR, FAR]);
    expect([NEAR, FAR]).toContain(resolved?.server);
    // The same case: the same pseudonyms. Another: others.
    expect((await post("/api/report", wishes)).json).toContain(pseudonym);
    expect((await post("/api/report", { ...wishes, caseId: null })).json).not.toContain(pseudonym);
    expect((await post("/api/report", { ...wishes, caseId: "near.example" })).code).toBe("STATS_REPORT_LEAKS");
    expect((await post("/api/report/keep", { id: "another" })).status).toBe(400);
  });

  test("tells what the command tells", async () => {
    const server = await served();
    const { cookie } = await signedIn(server);
    const { stdout } = await agentStats(["show", ...server.args, "--json"]);
    const shown = JSON.parse(stdout);
    const stats = JSON.parse((await ask(server.port, { path: "/api/stats", headers: { cookie } })).body);
    expect(stats.trackedSince).toBe(shown.trackedSince);
    expect(stats.servers.map(({ overall }: { overall: object }) => JSON.stringify(overall)).sort()).toEqual(
      shown.servers.map(({ overall }: { overall: object }) => JSON.stringify(overall)).sort(),
    );
  });
});

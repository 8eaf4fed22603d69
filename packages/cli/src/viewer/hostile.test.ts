import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { agentStats, bytesOf, FAR, NEAR } from "../cli.testing.ts";
import { ATTACKS, change, looking, type Owner, PATHS } from "./attacks.testing.ts";
import { ask, served, signedIn } from "./viewer.testing.ts";

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
    const server = await served(undefined, { idleMs: 3_000 });
    const { cookie } = await signedIn(server);
    const page = connect({ host: "127.0.0.1", port: server.port });
    page.write(`GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nCookie: ${cookie}\r\n\r\n`);
    page.on("error", () => {});
    await wait(4_500);
    expect((await ask(server.port, { path: "/", headers: { cookie } })).status).toBe(200);
    page.destroy();
    expect(await server.ended).toBe("idle");
    await expect(ask(server.port, { path: "/" })).rejects.toThrow();
  });

  test("keeps the key of a saved report in the database only, so that a pseudonym can be resolved", async () => {
    const server = await served();
    const owner: Owner = { port: server.port, token: "", ...(await signedIn(server)) };
    const wishes = { caseId: "login", coarse: false, publicServers: true, withoutUsers: [] };
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

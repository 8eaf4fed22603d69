import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseReport } from "agent-stats/report";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { launch, lookAt, noBrowser } from "./browser.testing.ts";
import { everyScreen, FIXTURES, goTo, openFixture, settled } from "./screens.testing.ts";

const digits = (text: string) => text.replaceAll("\u202f", "");

/** Every user and server of the story. */
const NAMES = /example|simplex\.im|onion|anna|work"|>work|Zoomed/i;

async function copied(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByText("Copied", { exact: true }).waitFor();
  return String(await page.evaluate("navigator.clipboard.readText()"));
}

describe.skipIf(noBrowser !== null)("the viewer in Chromium, for its owner only", { timeout: 120_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  test("the link works once, and is gone from the address bar", async () => {
    const { page, server } = await openFixture(browser, FIXTURES["3 servers"]);
    expect(page.url()).toBe(`http://127.0.0.1:${server.port}/`);
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(await page.evaluate("performance.getEntriesByType('navigation')[0].name")).not.toContain("token");
    await page.reload();
    await page.locator("[data-figure=sent]").waitFor();
    const stranger = await lookAt(browser);
    expect((await stranger.page.goto(server.link))?.status()).toBe(401);
    expect((await stranger.page.goto(`http://127.0.0.1:${server.port}/`))?.status()).toBe(401);
  });

  test("a saved page opens from its file, shows every number, asks nobody, and runs nothing but its own script", async () => {
    const { page } = await openFixture(browser, FIXTURES["a story"]);
    await goTo(page, "Report");
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as a page" }).click(),
    ]);
    const path = `${await saved.path()}.html`;
    const html = readFileSync(await saved.path(), "utf8");
    const { writeFileSync } = await import("node:fs");
    writeFileSync(
      path,
      html.replace("</main>", '</main><img src="https://evil.example/x"><script>document.title = "evil"</script>'),
    );
    const file = await lookAt(browser, { width: 320 });
    const stopped: string[] = [];
    file.page.on("requestfailed", (request) => stopped.push(`${request.url()} ${request.failure()?.errorText}`));
    await file.page.goto(`file://${path}`);
    await file.page.getByRole("heading", { name: "Report of agent-stats" }).waitFor();
    const text = digits(await file.page.locator("main").innerText());
    for (const { overall } of parseReport(html).servers) {
      for (const value of Object.values(overall)) expect(text).toContain(String(value));
    }
    expect(await file.page.title()).toBe("agent-stats report");
    // What was put into it was stopped by its policy, and nothing else was tried.
    expect(stopped).toEqual(["https://evil.example/x csp"]);
    const rest = file.faults.filter(
      (fault) => !/Content Security Policy|^asked https:\/\/evil\.example\/x$/.test(fault),
    );
    expect(rest).toEqual([]);
    expect(await file.page.evaluate("document.documentElement.scrollWidth <= 320")).toBe(true);
  });

  test("copies what is seen, and keeps addresses out of the browser's history", async () => {
    const { page } = await openFixture(browser, FIXTURES["3 servers"]);
    await goTo(page, "Servers");
    await page.getByRole("button", { name: "one.example" }).click();
    await page.getByRole("heading", { level: 1, name: "one.example:8883" }).waitFor();
    expect(await page.evaluate("JSON.stringify([history.state, location.href, document.title])")).not.toContain(
      "one.example",
    );
    expect(await copied(page)).toMatch(/one\.example[\s\S]*sent\t\d+/);
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "Servers" }).waitFor();
  });

  test("stays on its screen over a reload; of a server's, whose name nobody keeps, with all servers", async () => {
    const { page } = await openFixture(browser, FIXTURES["3 servers"]);
    await goTo(page, "Sessions");
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
    await goTo(page, "Servers");
    await page.getByRole("button", { name: "one.example" }).click();
    await page.getByRole("heading", { level: 1, name: "one.example:8883" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Servers" }).waitFor();
  });

  test("hides names in everything that the page holds, also over a reload, before anything is drawn", async () => {
    const fixture = { ...FIXTURES["a story"], canWrite: true };
    const { page, context } = await openFixture(browser, fixture);
    // The whole of it at every change, with what stands in fields, and what a browser keeps of it.
    await context.addInitScript(`
      globalThis.named = [];
      const look = () => {
        const fields = [...document.querySelectorAll("input, select, option")].map(({ value }) => value);
        const text = [document.documentElement?.outerHTML, document.title, location.href, JSON.stringify(history.state), ...fields].join(" ");
        const found = text.match(${NAMES});
        if (found) named.push(text.slice(Math.max(0, found.index - 60), found.index + 60));
      };
      new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
      addEventListener("input", look);
    `);
    const named = async () => (await page.evaluate("named.splice(0)")) as string[];
    await page.reload();
    await settled(page);
    // Control: names are found where they are shown.
    expect((await named()).join()).toMatch(/>anna</);
    await goTo(page, "Servers");
    await page.getByRole("searchbox").fill("my.example");
    await page.getByRole("button", { name: "Hide names" }).click();
    await settled(page);
    await named();
    await page.evaluate("document.body.toggleAttribute('data-looked-at')");
    for (const again of [false, true]) {
      if (again) await page.reload();
      await settled(page);
      await everyScreen(page, fixture, async (screen) => {
        expect(await named(), screen).toEqual([]);
        if (!/Report|Actions/.test(screen)) expect(await copied(page), screen).not.toMatch(NAMES);
      });
    }
    // What the tab keeps, and the browser may write to its disk.
    const kept = await page.evaluate("JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])");
    expect(kept).toBe(JSON.stringify([{ "agent-stats names": "hidden" }, {}, ""]));
    await page.getByRole("button", { name: "Hide names" }).click();
    await goTo(page, "Overview");
    await page.reload();
    await page.getByText("my.example").first().waitFor();
  });

  test("shows the live values of an app's own handle, and a name that is markup as text", async () => {
    const { page, faults } = await openFixture(browser, FIXTURES["first run"]);
    await page.evaluate(`import("/viewer.js").then(({ createViewer }) => {
      document.body.replaceChildren(document.createElement("div"));
      const now = new Date();
      const server = "mqtts://<img src=x onerror=alert(1)>.example";
      const numbers = { sent: 11 };
      const stats = { trackedSince: now, lastSaved: now, rejected: {}, sessions: [{ session: 1, started: now, lastSaved: now, ended: null, how: "running", canHaveLostMs: 0 }],
        servers: [{ protocol: "mqtt", userId: "<b>anna</b>", server, trackedSince: now, past: {}, session: numbers, overall: numbers, live: { connected: 3 } }] };
      const source = { getServersStats: async () => stats, getSessions: async () => [], getTimeline: async () => [] };
      globalThis.viewer = createViewer(source, { element: document.body.firstChild });
    })`);
    await page.getByText("All is well").waitFor();
    await goTo(page, "Report");
    await page.getByText('"server":"srv-').waitFor();
    expect(await page.locator("pre.preview").innerText()).not.toContain("anna");
    await goTo(page, "Servers");
    await page.getByRole("heading", { name: "Currently used 1" }).waitFor();
    await page.locator("tbody button.link").click();
    await page.getByRole("heading", { level: 1, name: "<img src=x onerror=alert(1)>.example" }).waitFor();
    await page.getByText("connected now").waitFor();
    await page.evaluate("viewer.close()");
    expect(await page.locator(".agent-stats").count()).toBe(0);
    expect(faults.filter((fault) => !fault.includes("status of 503"))).toEqual([]);
  });

  test("a page of another origin learns nothing and changes nothing, with the owner's cookie in the same browser", async () => {
    const { server, context, page: own } = await openFixture(browser, FIXTURES["3 servers"]);
    const evil = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html>"));
    await new Promise<void>((done) => evil.listen(0, "127.0.0.1", done));
    onTestFinished(() => void evil.close());
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`);
    const target = `http://127.0.0.1:${server.port}`;
    const tried = await page.evaluate(`Promise.all([
      fetch("${target}/api/stats", { credentials: "include" }).then(() => "read", () => "refused"),
      fetch("${target}/api/reset", { method: "POST", credentials: "include", mode: "no-cors", body: '{"confirm":"reset"}' }).then(({ type }) => type, () => "refused"),
      new Promise((done) => { const script = document.createElement("script"); script.src = "${target}/viewer.js"; script.onload = () => done("ran"); script.onerror = () => done("refused"); document.body.append(script); }),
      new Promise((done) => { const image = new Image(); image.onload = () => done("seen"); image.onerror = () => done("refused"); image.src = "${target}/icon.svg"; }),
      new Promise((done) => { const events = new EventSource("${target}/api/events", { withCredentials: true }); events.onopen = () => done("live"); events.onerror = () => done("refused"); }),
      new Promise((done) => { const socket = new WebSocket("${target}/api/events".replace("http", "ws")); socket.onopen = () => done("open"); socket.onerror = () => done("refused"); }),
      new Promise((done) => { const frame = document.createElement("iframe"); frame.src = "${target}/"; frame.onload = () => { try { done(frame.contentDocument ? "framed" : "refused"); } catch { done("refused"); } }; document.body.append(frame); }),
    ])`);
    // An opaque answer cannot be read; that nothing was reset is seen below.
    expect(tried).toEqual([
      "refused",
      expect.stringMatching(/refused|opaque/),
      "refused",
      "refused",
      "refused",
      "refused",
      "refused",
    ]);
    await own.getByRole("button", { name: "Refresh" }).click();
    expect(digits(await own.locator("[data-figure=sent]").innerText())).not.toBe("0");
  });
});

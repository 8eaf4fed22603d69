import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { parseReport } from "agent-stats/report";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { agentStats } from "../cli.testing.ts";
import { launch, lookAt, noBrowser } from "./browser.testing.ts";
import { FIXTURES, type Fixture, goTo, running, serveFixture, settled } from "./screens.testing.ts";

const digits = (text: string) => text.replaceAll("\u202f", "");

interface Shown {
  readonly servers: readonly {
    readonly protocol: string;
    readonly userId: string;
    readonly server: string;
    readonly past: Readonly<Record<string, number>>;
    readonly session: Readonly<Record<string, number>>;
    readonly overall: Readonly<Record<string, number>>;
  }[];
}

describe.skipIf(noBrowser !== null)("using the viewer in Chromium", { timeout: 120_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  const open = async (fixture: Fixture) => {
    const server = await serveFixture(fixture);
    const { page, faults, context } = await lookAt(browser);
    await page.goto(server.link);
    await settled(page);
    return { server, page, faults, context };
  };

  const rowsOn = (page: Page): Promise<string[][]> =>
    page.locator("table.counters tbody tr").evaluateAll((rows) =>
      rows.map((row) => {
        const { querySelectorAll } = row as unknown as {
          querySelectorAll(selector: string): Iterable<{ textContent: string }>;
        };
        return [...querySelectorAll.call(row, ".counter, td")].map(({ textContent }) => textContent);
      }),
    );

  test("the link works once, and is gone from the address bar", async () => {
    const { page, server } = await open(FIXTURES["3 servers"]);
    expect(page.url()).toBe(`http://127.0.0.1:${server.port}/`);
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(await page.evaluate("performance.getEntriesByType('navigation')[0].name")).not.toContain("token");
    await page.reload();
    await page.locator("[data-figure=sent]").waitFor();
    const stranger = await lookAt(browser);
    expect((await stranger.page.goto(server.link))?.status()).toBe(401);
    expect((await stranger.page.goto(`http://127.0.0.1:${server.port}/`))?.status()).toBe(401);
  });

  test("every number is that of show --json", async () => {
    const { page, server } = await open(FIXTURES["3 servers"]);
    const shown: Shown = JSON.parse((await agentStats(["show", ...server.args, "--json"])).stdout);
    const sum = (names: readonly string[]) =>
      shown.servers.flatMap(({ overall }) => names.map((name) => overall[name] ?? 0)).reduce((a, b) => a + b, 0);
    const expected = {
      sent: sum(["sent", "sentDirect"]),
      received: sum(["received", "recvMsgs"]),
      failed: sum(["sendErrors", "sentQuotaErrs"]),
    };
    for (const [figure, value] of Object.entries(expected)) {
      expect(digits(await page.locator(`[data-figure=${figure}]`).innerText()), figure).toBe(String(value));
    }
    expect(new Set(shown.servers.flatMap(({ overall }) => Object.values(overall))).size).toBe(7);
    for (const each of shown.servers) {
      await goTo(page, "Servers");
      const host = each.server.split("@").at(-1)?.replace("mqtts://", "") ?? "";
      const row = page.locator("tbody tr", { hasText: host });
      const line = digits(await row.innerText());
      for (const [counter, value] of Object.entries(each.overall)) {
        if (counter !== "attempts") expect(line, `${host} ${counter}`).toContain(String(value));
      }
      await row.getByRole("button").click();
      await page.locator("table.counters").waitFor();
      const on = Object.fromEntries(
        (await rowsOn(page)).map(([counter = "", ...values]) => [counter, values.map(digits)]),
      );
      const told = Object.keys(each.overall).map((counter) => [
        counter,
        // No session runs: what it counted is not known, and not zero.
        ["–", String(each.past[counter] ?? 0), String(each.overall[counter] ?? 0)],
      ]);
      expect(on).toEqual(Object.fromEntries(told));
    }
  });

  test("somebody new learns from the page alone which server fails, since when, how, and that the app crashed", async () => {
    const { page } = await open(FIXTURES["a story"]);
    const verdict = (await page.locator(".verdict").innerText()).replaceAll("\u00a0", " ");
    expect(verdict).toMatch(
      /^my\.example:5223: \d+ % of sends failed, mostly QUOTA, since \d+ \w+; other servers are fine\.$/,
    );
    expect(await page.getByText("sentQuotaErrs").innerText()).toMatch(/failed \(sentQuotaErrs \d+, sentAuthErrs \d+\)/);
    await page.getByText("7 sessions, 3 ended badly").first().waitFor();
    await goTo(page, "Sessions");
    await page.getByText("crashed: an error that nobody caught").waitFor();
    expect(await page.getByText("ended without a goodbye").count()).toBe(2);
    await page.getByLabel("Compare session 3").check();
    await page.getByLabel("Compare session 7").check();
    await page.getByRole("columnheader", { name: "Difference" }).waitFor();
    expect(await page.locator("table.counters tbody tr").count()).toBeGreaterThan(10);
  });

  test("the keyboard alone leads from the filter to a saved report, whose bytes are those of the preview", async () => {
    const { page, faults } = await open(FIXTURES["3 servers"]);
    const focused = () => page.evaluate("document.activeElement.textContent || document.activeElement.name || ''");
    const tabTo = async (text: string, back = false) => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press(back ? "Shift+Tab" : "Tab");
        if (String(await focused()).startsWith(text)) return;
      }
      throw new Error(`the keyboard does not reach ${text}`);
    };
    await tabTo("All profiles");
    await page.keyboard.press("a");
    await expect.poll(() => page.locator("select").first().inputValue()).toBe("user anna");
    await tabTo("Report", true);
    await page.keyboard.press("Enter");
    await settled(page);
    expect(await focused()).toBe("Report");
    await tabTo("Save as a page");
    const [saved] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    await page.keyboard.press("Tab");
    const [json] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
    const preview = await page
      .locator("pre.preview")
      .evaluate((pre) => (pre as unknown as { textContent: string }).textContent);
    expect(readFileSync(await json.path(), "utf8")).toBe(preview);
    expect(json.suggestedFilename()).toMatch(/^agent-stats-report-\d{4}-\d\d-\d\d\.json$/);
    const html = readFileSync(await saved.path(), "utf8");
    expect(parseReport(html)).toEqual(JSON.parse(preview));
    expect(preview).not.toMatch(/example|anna|bert/);
    expect(faults).toEqual([]);
  });

  test("a saved page opens from its file, shows every number, asks nobody, and runs nothing but its own script", async () => {
    const { page } = await open(FIXTURES["a story"]);
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

  test("live numbers come by themselves, and leave focus, selection and scrolling alone", async () => {
    const { page, server } = await open(FIXTURES["1 000 servers"]);
    await goTo(page, "Servers");
    const { server: counter, stats } = await running(server.db);
    const add = async (amount: number) => {
      counter.add("sent", amount);
      await stats.flush();
    };
    await add(1_009);
    await page.getByText("live.example").waitFor({ timeout: 30_000 });
    await page.evaluate("scrollTo(0, 400)");
    const search = page.getByRole("searchbox");
    await search.fill("example");
    await search.evaluate((input) =>
      (input as unknown as { setSelectionRange(a: number, b: number): void }).setSelectionRange(2, 5),
    );
    await page.evaluate("scrollTo(0, 300)");
    await add(1_013);
    await page.getByText("2\u202f022").waitFor({ timeout: 30_000 });
    const state = await page.evaluate(
      "[document.activeElement.type, document.activeElement.selectionStart, document.activeElement.selectionEnd, scrollY]",
    );
    expect(state).toEqual(["search", 2, 5, 300]);
  });

  test("pause stops every change", async () => {
    const { page, server } = await open(FIXTURES["3 servers"]);
    const { server: counter, stats } = await running(server.db);
    const count = async () => {
      counter.add("sent", 7);
      await stats.flush();
      await wait(1_500);
    };
    await count();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused").waitFor();
    await page.evaluate(`globalThis.changes = 0;
      new MutationObserver((all) => { changes += all.length; }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });`);
    const frozen = await page.locator("main").innerText();
    for (let i = 0; i < 4; i++) await count();
    await wait(6_000);
    expect(await page.evaluate("changes")).toBe(0);
    expect(await page.locator("main").innerText()).toBe(frozen);
    // Control: without it, the same counting changes the page.
    await page.getByRole("button", { name: "Pause" }).click();
    await count();
    await expect.poll(() => page.evaluate("changes"), { timeout: 20_000 }).toBeGreaterThan(2);
  });

  test("hides names, copies what is seen, and keeps addresses out of the browser's history", async () => {
    const { page } = await open(FIXTURES["3 servers"]);
    await goTo(page, "Servers");
    await page.getByRole("button", { name: "one.example" }).click();
    await page.getByRole("heading", { level: 1, name: "one.example:8883" }).waitFor();
    expect(await page.evaluate("JSON.stringify([history.state, location.href, document.title])")).not.toContain(
      "one.example",
    );
    await page.getByRole("button", { name: "Hide names" }).click();
    const seen = await page.locator("body").innerText();
    expect(seen).not.toMatch(/example|anna|bert/);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied").waitFor();
    const copied = String(await page.evaluate("navigator.clipboard.readText()"));
    expect(copied).not.toMatch(/example|anna/);
    expect(copied).toMatch(/sent\t\d+/);
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "Servers" }).waitFor();
  });

  test("searches, sorts, folds the long tail, and says when nothing matches", async () => {
    const { page } = await open(FIXTURES["1 000 servers"]);
    await goTo(page, "Servers");
    expect(await page.locator("tbody tr").count()).toBe(25);
    await page.getByRole("button", { name: "Sent" }).click();
    expect(await page.locator("tbody tr").first().innerText()).toContain("broker-999.example");
    await page.getByRole("button", { name: "Sent" }).click();
    expect(await page.locator("tbody tr").first().innerText()).toContain("broker-000.example");
    await page.getByRole("button", { name: "Show 975 more servers" }).click();
    expect(await page.locator("tbody tr").count()).toBe(1_000);
    await page.getByRole("searchbox").fill("broker-42");
    await expect.poll(() => page.locator("tbody tr").count()).toBe(10);
    await page.getByRole("searchbox").fill("no such server");
    await page.getByText("Nothing matches").waitFor();
  });

  test("shows hidden profiles on request only", async () => {
    const { page } = await open({ ...FIXTURES["3 servers"], hiddenUsers: ["bert"] });
    const sent = async () => Number(digits(await page.locator("[data-figure=sent]").innerText()));
    const without = await sent();
    expect(await page.locator("option", { hasText: "bert" }).count()).toBe(0);
    await page.getByLabel("Hidden profiles too").check();
    expect(await sent()).toBeGreaterThan(without);
  });

  test("forgets a profile and resets after the word was typed, and not before", async () => {
    const { page, server } = await open(FIXTURES["3 servers"]);
    const shown = async () => (await agentStats(["show", ...server.args, "--json"])).stdout;
    await goTo(page, "Actions");
    const forget = page.locator("form.confirm").first();
    await forget.getByRole("textbox").fill("ann");
    await forget.getByRole("button").click();
    await forget.getByText("nothing was deleted").waitFor();
    expect(await shown()).toContain("anna");
    await forget.getByRole("textbox").fill("anna");
    await forget.getByRole("button").click();
    await expect.poll(shown, { timeout: 20_000 }).not.toContain("anna");
    const reset = page.locator("form.confirm").last();
    await reset.getByRole("textbox").fill("reset");
    await reset.getByRole("button").click();
    await expect.poll(shown, { timeout: 20_000 }).not.toContain("bert");
  });

  test("shows the live values of an app's own handle, and a name that is markup as text", async () => {
    const { page, faults } = await open(FIXTURES["first run"]);
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
    expect(await page.getByRole("button", { name: "Report" }).count()).toBe(0);
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
    const { server, context, page: own } = await open(FIXTURES["3 servers"]);
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

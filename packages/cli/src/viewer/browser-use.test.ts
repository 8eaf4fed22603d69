import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { parseReport } from "agent-stats/report";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

  test("every number is that of show --json, also of the session that runs", async () => {
    const { page, server } = await open(FIXTURES["3 servers"]);
    const { server: counter, stats } = await running(server.db);
    counter.add("sent", 2_011);
    await stats.flush();
    await page.getByText("running", { exact: true }).waitFor();
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
    expect(new Set(shown.servers.flatMap(({ overall }) => Object.values(overall))).size).toBe(8);
    for (const each of shown.servers) {
      await goTo(page, "Servers");
      const host =
        each.server
          .split("@")
          .at(-1)
          ?.replace(/^\w+:\/\//, "") ?? "";
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
        [String(each.session[counter] ?? 0), String(each.past[counter] ?? 0), String(each.overall[counter] ?? 0)],
      ]);
      expect(on).toEqual(Object.fromEntries(told));
    }
  });

  test("somebody new learns from the page alone which server fails, since when, how, and that the app crashed", async () => {
    const { page } = await open(FIXTURES["a story"]);
    const verdict = (await page.locator(".verdict").innerText()).replaceAll("\u00a0", " ");
    expect(verdict).toMatch(
      /^my\.example:5223: \d+ % of sends failed, mostly QUOTA, since \d+ \w+; other servers fine\.$/,
    );
    const evidence = (await page.getByText("sentQuotaErrs").innerText()).replaceAll("\u00a0", " ");
    expect(evidence).toMatch(/failed: QUOTA \d+ \(sentQuotaErrs\), AUTH \d+ \(sentAuthErrs\)/);
    await page.getByText("7 sessions, 3 ended badly").first().waitFor();
    await goTo(page, "Sessions");
    await page.getByText("crashed: uncaught error").waitFor();
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
});

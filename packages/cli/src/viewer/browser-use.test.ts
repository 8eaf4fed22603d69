import { readFileSync, statSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { parseReport } from "agent-stats/report";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agentStats } from "../cli.testing.ts";
import { launch, noBrowser } from "./browser.testing.ts";
import { FIXTURES, goTo, openFixture, running, runningElsewhere, settled } from "./screens.testing.ts";

const digits = (text: string) => text.replaceAll("\u202f", "");

describe.skipIf(noBrowser !== null)("using the viewer in Chromium", { timeout: 120_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  test("somebody new learns from the page alone which server fails, since when, how, and that the app crashed", async () => {
    const { page } = await openFixture(browser, FIXTURES["a story"]);
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
    const { page, faults } = await openFixture(browser, FIXTURES["3 servers"]);
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
    await expect.poll(() => page.locator("select").first().locator("option:checked").innerText()).toBe("anna");
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

  test.each([
    ["rounded", /Round the counts/],
    ["without a readable name", /Keep well-known public servers readable/],
  ])("what is saved or copied is what is shown, also %s", async (_, wish) => {
    const { page } = await openFixture(browser, FIXTURES["a story"]);
    await goTo(page, "Report");
    const preview = () => page.locator("pre.preview").innerText();
    await page.locator("pre.preview").waitFor();
    const before = await preview();
    await page.getByLabel(wish).click();
    await expect.poll(preview).not.toBe(before);
    const shown = await preview();
    const [json] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save as JSON" }).click(),
    ]);
    expect(readFileSync(await json.path(), "utf8")).toBe(shown);
    await page.getByRole("button", { name: "Copy the JSON" }).click();
    await page.getByText("Copied.", { exact: true }).waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(shown);
  });

  test("live numbers come by themselves, and leave focus, selection and scrolling alone", async () => {
    const { page, server } = await openFixture(browser, FIXTURES["1 000 servers"]);
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

  test("notices by itself that the app was killed, which changes no file, and leads to its session", async () => {
    const { page, server } = await openFixture(browser, FIXTURES["3 servers"]);
    const kill = await runningElsewhere(server.db);
    await page.getByText("running", { exact: true }).waitFor();
    // Control: as long as it runs, looking again changes nothing.
    await wait(6_000);
    await page.getByText("running", { exact: true }).waitFor();
    const times = () => [server.db, `${server.db}-wal`].map((file) => statSync(file, { bigint: true }).mtimeNs);
    const before = times();
    await kill();
    await page.getByText("not running", { exact: true }).waitFor({ timeout: 30_000 });
    expect(times()).toEqual(before);
    await page.getByText("The app was killed once").first().waitFor();
    await page.getByRole("button", { name: "Look at Sessions" }).click();
    await page.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
    await page.getByText("3 sessions, 1 ended badly; up to 2.5 s of counting and one save can be missing.").waitFor();
  });

  test("pause stops every change", async () => {
    const { page, server } = await openFixture(browser, FIXTURES["3 servers"]);
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
    const { page } = await openFixture(browser, FIXTURES["1 000 servers"]);
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

  test("puts one's own servers first, and those that everybody has after them", async () => {
    const { page } = await openFixture(browser, FIXTURES["a story"]);
    await goTo(page, "Servers");
    const names = await page
      .locator("section")
      .filter({ hasText: "Previously used" })
      .locator("tbody bdi")
      .allInnerTexts();
    expect(names.slice(0, 3).join()).toMatch(/^my\.example:5223,broker\.my\.example:8883,files\.my\.example$/);
    expect(names.slice(3).every((name) => name.endsWith(".simplex.im"))).toBe(true);
    await page.getByRole("heading", { name: "Only proxied 1" }).waitFor();
  });

  test("shows hidden profiles on request only", async () => {
    const { page } = await openFixture(browser, { ...FIXTURES["3 servers"], hiddenUsers: ["bert"] });
    const sent = async () => Number(digits(await page.locator("[data-figure=sent]").innerText()));
    const without = await sent();
    expect(await page.locator("option", { hasText: "bert" }).count()).toBe(0);
    await goTo(page, "Sessions");
    for (const session of [1, 2]) await page.getByLabel(`Compare session ${session}`).check();
    await page.getByText("mqtt received").waitFor();
    expect(await page.getByText("mqtt sendErrors").count()).toBe(0);
    await goTo(page, "Actions");
    expect(await page.locator("option").allInnerTexts()).toEqual(["anna"]);
    await goTo(page, "Report");
    const preview = async () => (await page.locator("pre.preview").innerText()).match(/"user":\d+/g);
    await page.getByText("All of hidden profiles").waitFor();
    expect(new Set(await preview())).toEqual(new Set(['"user":1']));
    await page.getByLabel("Hidden profiles too").check();
    await expect.poll(async () => new Set(await preview()).size).toBe(2);
    await goTo(page, "Overview");
    await page.getByLabel("Hidden profiles too").check();
    expect(await sent()).toBeGreaterThan(without);
  });

  test("forgets a profile and resets after the word was typed, and not before", async () => {
    const { page, server } = await openFixture(browser, FIXTURES["3 servers"]);
    const shown = async () => (await agentStats(["show", ...server.args, "--json"])).stdout;
    await page.getByLabel("Profile").selectOption({ label: "anna" });
    await goTo(page, "Actions");
    const forget = page.locator("form.confirm").first();
    await forget.getByRole("textbox").fill("ann");
    await forget.getByRole("button").click();
    await forget.getByText("nothing was deleted").waitFor();
    expect(await shown()).toContain("anna");
    await forget.getByRole("textbox").fill("anna");
    await forget.getByRole("button").click();
    await expect.poll(shown, { timeout: 20_000 }).not.toContain("anna");
    await goTo(page, "Overview");
    // Who was chosen is no more: all others are shown.
    const chosen = () => page.getByLabel("Profile").locator("option:checked").innerText();
    await expect.poll(chosen, { timeout: 20_000 }).toBe("All profiles");
    await goTo(page, "Actions");
    const reset = page.locator("form.confirm").last();
    await reset.getByRole("textbox").fill("reset");
    await reset.getByRole("button").click();
    await expect.poll(shown, { timeout: 20_000 }).not.toContain("bert");
  });
});

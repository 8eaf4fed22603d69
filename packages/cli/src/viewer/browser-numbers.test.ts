import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agentStats } from "../cli.testing.ts";
import { launch, noBrowser } from "./browser.testing.ts";
import { FIXTURES, goTo, openFixture, running, settled } from "./screens.testing.ts";

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

interface Counted {
  readonly protocol: string;
  readonly counters: Readonly<Record<string, number>>;
}

describe.skipIf(noBrowser !== null)("the numbers of the viewer in Chromium", { timeout: 120_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

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
    const { page, server } = await openFixture(browser, FIXTURES["3 servers"]);
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

  test("the numbers of protocols, of a range and of sessions are those that the command prints", async () => {
    const { page, server } = await openFixture(browser, FIXTURES["3 servers"]);
    const printed = async (...words: string[]) =>
      JSON.parse((await agentStats([...words, ...server.args, "--json"])).stdout);
    const sum = (all: readonly Counted[], names: readonly string[]) =>
      all.flatMap(({ counters }) => names.map((name) => counters[name] ?? 0)).reduce((a, b) => a + b, 0);
    const figures = (all: readonly Counted[]) => [
      ...[
        sum(all, ["sent", "sentDirect"]),
        sum(all, ["received", "recvMsgs"]),
        sum(all, ["sendErrors", "sentQuotaErrs"]),
      ],
    ];
    const shown = (await printed("show")) as Shown;
    const overall = shown.servers.map(({ protocol, overall }) => ({ protocol, counters: overall }));
    const columns = page.locator("tbody tr", { hasText: "mqtt" }).locator("td");
    const row = (await columns.allInnerTexts()).map(digits);
    expect(row.slice(1, 4).map(Number)).toEqual(figures(overall.filter(({ protocol }) => protocol === "mqtt")));

    const hours = (await printed("timeline", "--by", "hour", "--from", "23h")) as { entries: Counted[] };
    await page.getByLabel("24 h").check();
    const inRange = await page.locator("[data-figure]").allInnerTexts();
    expect(inRange.map((text) => Number(digits(text)))).toEqual(figures(hours.entries));
    expect(figures(hours.entries)).not.toEqual(figures(overall));

    const { sessions } = (await printed("sessions")) as { sessions: { servers: Counted[] }[] };
    await goTo(page, "Sessions");
    for (const session of [1, 2]) await page.getByLabel(`Compare session ${session}`).check();
    const compared = await page
      .locator("table.counters tbody tr")
      .evaluateAll((rows) => rows.map((each) => (each as unknown as { innerText: string }).innerText.split(/\t|\n/)));
    for (const [name = "", first = "", second = "", by = ""] of compared) {
      const [protocol = "", counter = ""] = name.split(" ");
      const [a, b] = sessions.map(({ servers }) =>
        sum(
          servers.filter((each) => each.protocol === protocol),
          [counter],
        ),
      );
      expect(
        [first, second, by.replace("−", "-")].map((text) => Number(digits(text))),
        name,
      ).toEqual([a, b, Number(b) - Number(a)]);
    }
    expect(compared).toHaveLength(6);
  });

  test("gives one failure rate of a server, whoever tells it, and says what it is of", async () => {
    const { page, server } = await openFixture(browser, FIXTURES["failing all the time"]);
    const text = async (locator: Locator) => digits(await locator.innerText()).replaceAll("\u00a0", " ");
    const { stdout } = await agentStats(["doctor", ...server.args, "--json"]);
    const [found] = JSON.parse(stdout).findings;
    expect(found).toMatchObject({ kind: "failing", failed: 211, outcomes: 211 + 409 });
    const rate = "34 % of sends";
    expect(await text(page.locator(".verdict"))).toContain(`broker.example:8883: ${rate} failed`);
    expect(await text(page.locator(".evidence").first())).toContain("211 of 620 failed");
    expect(await text(page.locator(".card.bad"))).toContain(rate);
    expect(await text(page.locator("tbody tr"))).toMatch(new RegExp(`${rate}$`));
    await goTo(page, "Servers");
    expect(await text(page.locator("tbody tr td").last())).toBe(rate);
    expect(await text(page.locator("tbody tr th"))).toContain(rate);
    await page.getByText("Failure rate: of all that succeeded or failed, the share that failed").waitFor();
    await page.locator("tbody button.link").click();
    await settled(page);
    expect(await text(page.locator(".facts").first())).toContain("Failed sends\n34 % (211 of 620)");
  });

  test("shows what is not known as a dash, and what was counted as zero: nothing is live when no app runs", async () => {
    const { page } = await openFixture(browser, FIXTURES["a story"]);
    await page.getByLabel("This session").check();
    expect(await page.locator("[data-figure=sent]").innerText()).toBe("–");
    await page.getByText("not recorded").first().waitFor();
    await page.getByLabel("All", { exact: true }).check();
    await goTo(page, "Servers");
    const proxied = page.locator("tbody tr", { hasText: "chat.friends.example" });
    expect(await proxied.locator("[data-title=Received]").innerText()).toBe("0");
    await proxied.getByRole("button").click();
    await page.getByText("The app is not running, so there are no live values.").waitFor();
    const [session, past] = [page.locator("[data-title=Session]").first(), page.locator("[data-title=Past]").first()];
    expect(await session.innerText()).toBe("–");
    expect(digits(await past.innerText())).toMatch(/^\d+$/);
    await page.getByRole("button", { name: /^Show \d+ counters at zero/ }).click();
    expect(await page.locator("tr", { hasText: "sentQuotaErrs" }).locator("[data-title=Past]").innerText()).toBe("0");
  });
});

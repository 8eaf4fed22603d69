import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { test } from "vitest";
import { launch, lookAt } from "./browser.testing.ts";
import { withPalette } from "./palette-png.testing.ts";
import { FIXTURES, type Fixture, goTo, serveFixture, settled } from "./screens.testing.ts";

const FOLDER = join(import.meta.dirname, "../../../../docs/screenshots/");
/** The pictures are of one moment: what has not changed is not a new picture. */
const NOW = Date.UTC(2026, 10, 23, 4, 10);

/** How high each picture is: as much as tells what the screen is for. */
const HEIGHTS: Readonly<Record<string, number>> = {
  overview: 1_040,
  servers: 990,
  "servers-without-names": 990,
  server: 1_400,
  sessions: 960,
  report: 1_060,
  actions: 680,
  "first-run": 360,
  "cannot-be-read": 520,
  phone: 960,
  "phone-server": 800,
};
const [WIDTH, PHONE_WIDTH] = [1_120, 375];

/** Each screen of the story in both themes, signed in once: the link works once only. */
test("every screen, light and dark", async () => {
  mkdirSync(FOLDER, { recursive: true });
  const browser = await launch();
  const easel = await browser.newPage();
  const shot = async (page: Page, name: string) => {
    await page.setViewportSize({ width: name.startsWith("phone") ? PHONE_WIDTH : WIDTH, height: HEIGHTS[name] ?? 800 });
    await page.evaluate("document.activeElement.blur()");
    await page.mouse.move(0, 0);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      // uPlot draws its lines anew in the next frame.
      await page.waitForTimeout(300);
      await page.evaluate("scrollTo(0, 0)");
      writeFileSync(`${FOLDER}${name}-${colorScheme}.png`, await withPalette(easel, await page.screenshot()));
    }
  };
  const open = async (fixture: Fixture) => {
    const server = await serveFixture(fixture, NOW);
    const { page } = await lookAt(browser, { width: WIDTH });
    await page.clock.setFixedTime(NOW);
    await page.goto(server.link);
    await settled(page);
    return page;
  };
  const openServer = async (page: Page) => {
    await goTo(page, "Servers");
    await page.locator("tbody button.link").first().click();
    await settled(page);
  };
  try {
    const page = await open({ ...FIXTURES["a story"], canWrite: true });
    await shot(page, "overview");
    for (const screen of ["Servers", "Sessions", "Report", "Actions"]) {
      await goTo(page, screen);
      await settled(page);
      if (screen === "Sessions") {
        await page.getByLabel("Compare session 6").check();
        await page.getByLabel("Compare session 7").check();
      }
      await shot(page, screen.toLowerCase());
    }
    await openServer(page);
    await page.locator("button.what").nth(3).click();
    await shot(page, "server");
    await goTo(page, "Servers");
    await page.getByRole("button", { name: "Hide names" }).click();
    await shot(page, "servers-without-names");
    await shot(await open(FIXTURES["first run"]), "first-run");
    await shot(await open(FIXTURES["wrong key"]), "cannot-be-read");
    const phone = await open(FIXTURES["a story"]);
    await shot(phone, "phone");
    await openServer(phone);
    await shot(phone, "phone-server");
  } finally {
    await browser.close();
  }
});

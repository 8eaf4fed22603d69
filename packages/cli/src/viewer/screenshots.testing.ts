import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { test } from "vitest";
import { launch, lookAt } from "./browser.testing.ts";
import { FIXTURES, goTo, type Served, serveFixture, settled } from "./screens.testing.ts";

const FOLDER = join(import.meta.dirname, "../../../../docs/screenshots/");
const SIZE = { width: 1_120, height: 800 };
/** Screens whose point is below the first view. */
const WHOLE: ReadonlySet<string> = new Set(["server"]);

/** One screen of the story in both themes, signed in once: the link works once only. */
test("every screen, light and dark", async () => {
  mkdirSync(FOLDER, { recursive: true });
  const browser = await launch();
  const shot = async (page: Page, name: string) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      // uPlot draws its lines anew in the next frame.
      await page.waitForTimeout(300);
      await page.evaluate("scrollTo(0, 0)");
      await page.screenshot({ path: `${FOLDER}${name}-${colorScheme}.png`, fullPage: WHOLE.has(name) });
    }
  };
  const open = async (server: Served, width = SIZE.width) => {
    const { page } = await lookAt(browser, { ...SIZE, width });
    await page.goto(server.link);
    await settled(page);
    return page;
  };
  try {
    const page = await open(await serveFixture({ ...FIXTURES["a story"], canWrite: true }));
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
    await goTo(page, "Servers");
    await page.locator("tbody button.link").first().click();
    await settled(page);
    await page.locator("button.what").nth(3).click();
    await shot(page, "server");
    await shot(await open(await serveFixture(FIXTURES["wrong key"])), "cannot-be-read");
    await shot(await open(await serveFixture(FIXTURES["a story"]), 360), "phone");
  } finally {
    await browser.close();
  }
});

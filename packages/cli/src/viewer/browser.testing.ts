import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/opt/google/chrome/chrome",
];
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync"],
];

const found = process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path));

/** Why there is no browser here; null where there is one. CI says that there must be one. */
export const noBrowser: string | null =
  found || process.env.AGENT_STATS_BROWSER === "required"
    ? null
    : "no Chromium is installed: apt-get install chromium, or set CHROMIUM";
if (noBrowser !== null) console.warn(`The viewer's browser tests are skipped: ${noBrowser}`);

export function launch(): Promise<Browser> {
  if (!found) throw new Error("Chromium is required here, and not installed.");
  return chromium.launch({ executablePath: found, args: FLAGS });
}

export interface Look {
  readonly dark?: boolean;
  readonly width?: number;
  readonly height?: number;
}

/** A page of its own, with what it did that it must not: requests beyond this machine, and what its policy stopped. */
export async function lookAt(
  browser: Browser,
  { dark = false, width = 1280, height = 900 }: Look = {},
): Promise<{
  readonly page: Page;
  readonly context: BrowserContext;
  readonly faults: string[];
}> {
  const context = await browser.newContext({
    colorScheme: dark ? "dark" : "light",
    viewport: { width, height },
    acceptDownloads: true,
    permissions: ["clipboard-read", "clipboard-write"],
    timezoneId: "UTC",
    locale: "en-GB",
    reducedMotion: "reduce",
  });
  onTestFinished(() => context.close());
  context.setDefaultTimeout(15_000);
  const faults: string[] = [];
  context.on("request", (request) => {
    if (!/^(http:\/\/(127\.0\.0\.1|\[::1\]):|blob:|data:|file:)/.test(request.url()))
      faults.push(`asked ${request.url()}`);
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  return { page, context, faults };
}

import { catalogue } from "./catalogue.ts";
import type { CliContext } from "./context.ts";
import { exitCodeOf } from "./errors.ts";
import { rootHelp } from "./help.ts";
import { buildApplication, buildRouteMap, help, type RouteMap, version } from "./stricli.ts";
import { text } from "./usage.ts";

/** Every verb, and the verbs of verbs. */
export const routes = buildRouteMap<string, CliContext>({
  routes: catalogue,
  docs: { brief: "Shows the encrypted statistics of a messaging agent" },
});

const root: RouteMap<CliContext> = { ...routes, formatHelp: () => rootHelp(routes) };

const formatting = {
  useAliasInUsageLine: false,
  onlyRequiredInUsageLine: false,
  caseStyle: "convert-camel-to-kebab",
} as const;

/** The whole command. */
export const app = buildApplication<CliContext>(
  root,
  {
    name: "agent-stats",
    scanner: { caseStyle: "allow-kebab-for-camel" },
    localization: { text },
    determineExitCode: exitCodeOf,
  },
  {
    help: help({ brief: text.briefs.help, defaultForRouteMap: true, formatting }),
    version: version({ brief: text.briefs.version, info: { getCurrentVersion } }),
  },
);

async function getCurrentVersion(): Promise<string> {
  const { readFileSync } = await import("node:fs");
  const manifest: { version: string } = JSON.parse(readFileSync(`${import.meta.dirname}/../package.json`, "utf8"));
  return manifest.version;
}
